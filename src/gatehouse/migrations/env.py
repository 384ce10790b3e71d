"""Alembic's entry, for each line of migrations. `attributes` of the configuration hold what `gatehouse migrate` and
`gatehouse new-migration` hand over.
"""

from alembic import context
from sqlalchemy import Connection

from gatehouse.common.infrastructure.migrations import open_owner


def run(connection: Connection) -> None:
    attributes = context.config.attributes
    context.configure(
        connection=connection,
        version_table=attributes["version_table"],
        target_metadata=attributes.get("metadata"),
        include_object=attributes.get("include_object"),
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
        if finish := attributes.get("finish"):
            finish(connection)


with open_owner(context.config.attributes["url"]).connect() as connection:
    run(connection)
