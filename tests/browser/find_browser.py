"""Which browser the tests run: the system's Chromium or Chrome, or Playwright's own."""

import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found:
        return found
    downloads = Path.home() / ".cache" / "ms-playwright"
    return next((str(path) for path in sorted(downloads.glob("chromium-*/chrome-linux*/chrome"))), None)


CHROMIUM = find_browser()

if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit(
            "There is no Chromium. Debian and Ubuntu: apt-get install chromium. Elsewhere: install Chrome, or run "
            ".venv-browser/bin/playwright install chromium."
        )
