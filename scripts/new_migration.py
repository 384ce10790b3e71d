"""Write a migration from the difference between the tables and the database: `make migration m="add users"`."""

import sys

from alembic import command
from alembic.script import ScriptDirectory

from gatehouse.common.infrastructure.migrations import migrate, migration_config
from gatehouse.setup.database_url import database_urls
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.settings import PROJECT_ROOT

with database_urls(load_settings().postgres) as urls:
    config = migration_config(PROJECT_ROOT, urls.owner)
    migrate(config)
    number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
    command.revision(config, message=sys.argv[1], autogenerate=True, rev_id=f"{number:04}")
