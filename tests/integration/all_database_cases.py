from typing import Final

from tests.modules.accounts.declaration import DATABASE_CASES as OF_ACCOUNTS
from tests.modules.audit.declaration import DATABASE_CASES as OF_AUDIT
from tests.modules.badges.declaration import DATABASE_CASES as OF_BADGES

ALL_DATABASE_CASES: Final = (OF_ACCOUNTS, OF_AUDIT, OF_BADGES)
