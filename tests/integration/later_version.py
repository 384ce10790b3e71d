"""A later version of Gatehouse, as far as its schema goes: one revision more."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from gatehouse.common.infrastructure.migration_lines import MigrationLine
from gatehouse.setup.modules import MODULES

[OWN_LINE] = MODULES.migration_lines
HEAD: Final = str(OWN_LINE.script().get_current_head())
NEXT: Final = f"{int(HEAD) + 1:04}"
EXPAND: Final = """
    op.add_column("users", sa.Column("shoe_size", sa.Text()))
    op.create_table("shoes", sa.Column("id", sa.Uuid(), primary_key=True))
"""
"""The first half of a change: the second, which removes or narrows something, comes a release later."""


def later_version(folder: Path, upgrade: str = EXPAND) -> MigrationLine:
    """Its migrations, which are written to the folder."""
    versions = folder / "versions"
    shutil.copytree(OWN_LINE.folder, versions)
    (versions / f"{NEXT}_later.py").write_text(f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{HEAD}"


def upgrade() -> None:
    {upgrade.strip()}
""")
    return replace(OWN_LINE, location=str(versions))
