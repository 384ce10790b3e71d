"""Write a migration of Gatehouse's own tables: `make migration m="add users"`."""

import sys
from pathlib import Path

from gatehouse.common.infrastructure.migration_lines import OWN
from gatehouse.setup.modules import MODULES
from gatehouse.setup.new_migration import write_migration

write_migration(MODULES, OWN, sys.argv[1], str(Path(__file__).parents[1] / "alembic.ini"))
