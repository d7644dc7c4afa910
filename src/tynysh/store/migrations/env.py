"""How Alembic reaches the database: over the connection that it is handed."""

from alembic import context

from tynysh.store.schema import Base

connection = context.config.attributes["connection"]
# SQLite cannot alter much of a table in place: batches rebuild it.
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
