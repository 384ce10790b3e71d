"""Write a migration from the difference between the tables and the database: `make migration m="add users"`."""

import sys

from alembic import command
from alembic.script import ScriptDirectory

from app.infrastructure.persistence.migrations import migrate, migration_config
from app.setup.database_url import database_urls
from app.setup.load_settings import load_settings
from app.setup.settings import PROJECT_ROOT

with database_urls(load_settings().postgres) as urls:
    config = migration_config(PROJECT_ROOT, urls.owner)
    migrate(config)
    number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
    command.revision(config, message=sys.argv[1], autogenerate=True, rev_id=f"{number:04}")
