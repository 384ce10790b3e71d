"""Which PostgreSQL to use, and with which roles: the configured one, or the embedded one, which stops afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gatehouse.common.infrastructure.embedded_postgres import embedded_postgres
from gatehouse.common.infrastructure.grants import ensure_role
from gatehouse.common.settings import PostgresSettings

_EMBEDDED_ROLE: Final = "gatehouse_server"


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """The server reads and writes rows; the owner migrates. They may be the same, where nobody set up two roles."""

    server: str
    owner: str

    @property
    def server_role(self) -> str | None:
        """The server's role, if it is one of its own."""
        role, owner = (conninfo_to_dict(url).get("user") for url in (self.server, self.owner))
        return None if role is None or role == owner else str(role)


@contextmanager
def database_urls(postgres: PostgresSettings) -> Iterator[DatabaseUrls]:
    if postgres.url:
        yield DatabaseUrls(postgres.url, postgres.owner_url or postgres.url)
        return
    with embedded_postgres(postgres.data_dir) as url:
        ensure_role(url, _EMBEDDED_ROLE)
        yield DatabaseUrls(make_conninfo(url, user=_EMBEDDED_ROLE), url)
