"""What Alembic runs: the changes that are missing, in the transaction that the store has opened."""

from alembic import context

from serving.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
