"""Alembic's entry: `gatehouse migrate` and `make migration` hand over the URL."""

import psycopg
from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool


def run(url: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=context.config.attributes["metadata"], compare_server_default=True
        )
        with context.begin_transaction():
            # Servers that start together migrate one after the other; the later ones find nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('gatehouse migrations'))"))
            context.run_migrations()


run(context.config.attributes["url"])
