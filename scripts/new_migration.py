"""Write a migration from the difference between the tables and the database: `make migration m="add users"`."""

import sys
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.infrastructure.migrations import migrate, migration_config
from gatehouse.common.settings import PostgresSettings
from gatehouse.setup.database_url import database_urls
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.modules import MODULES

ROOT = Path(__file__).parents[1]

with database_urls(load_settings(MODULES)[PostgresSettings]) as urls:
    # The list of modules, imported above, has brought all tables.
    config = migration_config(urls.owner, metadata, str(ROOT / "alembic.ini"))
    migrate(config)
    number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
    command.revision(config, message=sys.argv[1], autogenerate=True, rev_id=f"{number:04}")
