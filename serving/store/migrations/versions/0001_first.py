"""Events, the ids of all that was ever seen, predictions, feedback, epochs, and the name of the store."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_slug", "events", ["slug", "seq"])
    op.create_table("event_ids", sa.Column("key", sa.LargeBinary(16), primary_key=True), sqlite_with_rowid=False)
    op.create_table(
        "predictions",
        sa.Column("prediction_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("predicted_at", sa.BigInteger, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("prediction", sa.Text, nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("prediction_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
    )
    op.create_index("predictions_by_age", "predictions", ["predicted_at"])
    op.create_index("feedback_by_slug", "feedback", ["slug"])
    op.create_index("feedback_by_age", "feedback", ["received_at"])
    op.create_table("epochs", sa.Column("slug", sa.Text, primary_key=True), sa.Column("epoch", sa.Integer, nullable=False))
    identity = op.create_table("identity", sa.Column("name", sa.Text, primary_key=True))
    op.bulk_insert(identity, [{"name": uuid4().hex}])


def downgrade() -> None:
    """Drop the tables, and all that is in them."""
    for name in ("identity", "epochs", "feedback", "predictions", "event_ids", "events"):
        op.drop_table(name)
