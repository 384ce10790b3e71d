"""Alembic's entry. `attributes` of the configuration hold what `gatehouse migrate` and `make migration` hand over."""

from alembic import context
from sqlalchemy import Connection

from gatehouse.common.infrastructure.migrations import open_owner


def run(connection: Connection) -> None:
    attributes = context.config.attributes
    context.configure(connection=connection, target_metadata=attributes["metadata"], compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()
        if finish := attributes.get("finish"):
            finish(connection)


with open_owner(context.config.attributes["url"]).connect() as connection:
    run(connection)
