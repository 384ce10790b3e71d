"""The list of modules. Each may use those before it, by the names in their `__init__.py`."""

from typing import Final

from gatehouse.accounts.module import ACCOUNTS
from gatehouse.audit.module import AUDIT
from gatehouse.common.module import COMMON
from gatehouse.common.modules import Modules

MODULES: Final = Modules([COMMON, ACCOUNTS, AUDIT])
