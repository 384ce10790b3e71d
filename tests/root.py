from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
"""The folder of this checkout."""
