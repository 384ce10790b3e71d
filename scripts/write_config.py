"""Write config.toml anew, from the settings that the modules declare: `.venv/bin/python scripts/write_config.py`."""

from pathlib import Path

from gatehouse.setup.config_file import render_config_toml
from gatehouse.setup.modules import MODULES

(Path(__file__).parents[1] / "config.toml").write_text(render_config_toml(MODULES.settings), encoding="utf-8")
