"""The tables as the newest migration leaves them. Instants are microseconds since 1970, in UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()

_SEQ = BigInteger().with_variant(Integer, "sqlite")  # only so does SQLite number the rows by itself

EVENTS = Table(
    "events",
    METADATA,
    Column("seq", _SEQ, primary_key=True, autoincrement=True),
    Column("slug", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("subject", Text),
    Column("received_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("events_by_slug", "slug", "seq"),
    sqlite_autoincrement=True,  # a number is never given twice, not even after the newest rows were deleted
)

EVENT_IDS = Table(
    "event_ids",
    METADATA,
    Column("key", LargeBinary(16), primary_key=True),  # outlives the event, so it must not tell anything about it
    sqlite_with_rowid=False,
)

PREDICTIONS = Table(
    "predictions",
    METADATA,
    Column("prediction_id", Text, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("subject", Text),
    Column("predicted_at", BigInteger, nullable=False),
    Column("query", Text, nullable=False),
    Column("prediction", Text, nullable=False),
    Index("predictions_by_age", "predicted_at"),
)

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("prediction_id", Text, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index("feedback_by_slug", "slug"),
    Index("feedback_by_age", "received_at"),
)

EPOCHS = Table("epochs", METADATA, Column("slug", Text, primary_key=True), Column("epoch", Integer, nullable=False))

IDENTITY = Table("identity", METADATA, Column("name", Text, primary_key=True))
"""One row: numbers of events mean something only beside it."""
