"""A later version of Gatehouse, as far as its schema goes: one revision more."""

import shutil
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.script import ScriptDirectory

import gatehouse.migrations
from gatehouse.common.infrastructure.migrations import migration_config

HEAD: Final = str(ScriptDirectory.from_config(migration_config("")).get_current_head())
NEXT: Final = f"{int(HEAD) + 1:04}"
EXPAND: Final = """
    op.add_column("users", sa.Column("shoe_size", sa.Text()))
    op.create_table("shoes", sa.Column("id", sa.Uuid(), primary_key=True))
"""
"""The first half of a change: the second, which removes or narrows something, comes a release later."""


def later_version(url: str, folder: Path, upgrade: str = EXPAND) -> Config:
    """The configuration of its migrations, which are written to the folder."""
    scripts = folder / "migrations"
    shutil.copytree(Path(str(gatehouse.migrations.__file__)).parent, scripts)
    (scripts / "versions" / f"{NEXT}_later.py").write_text(f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{HEAD}"


def upgrade() -> None:
    {upgrade.strip()}
""")
    config = migration_config(url)
    config.set_main_option("script_location", str(scripts))
    return config
