"""The tables as the newest migration leaves them. Instants are microseconds since 1970, in UTC."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, TypeDecorator

METADATA = MetaData()

REVISION = "0001"
"""Of the newest migration; revisions are in the order of their names."""

_SEQ = BigInteger().with_variant(Integer, "sqlite")  # only so does SQLite number the rows by itself


class _Subject(TypeDecorator[str]):
    """A person's id, whatever is in it: PostgreSQL keeps no NUL in a text, so the picture of one stands for it everywhere."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """What is written, and what is looked for."""
        return None if value is None else value.replace("\0", "\u2400")


EVENTS = Table(
    "events",
    METADATA,
    Column("seq", _SEQ, primary_key=True, autoincrement=True),
    Column("slug", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("subject", _Subject),
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
    Column("subject", _Subject),
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
