"""Which PostgreSQL: the configured one, or the embedded one for as long as it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.infrastructure.embedded_postgres import embedded_postgres
from app.setup.settings import PostgresSettings


@contextmanager
def database_url(postgres: PostgresSettings) -> Iterator[str]:
    if postgres.url:
        yield postgres.url
        return
    with embedded_postgres(postgres.data_dir) as url:
        yield url
