"""Users, sessions, passwords and roles. What is named here is for other modules; the rest is this module's own.

- who calls: `Identity`, `Role`, `ensure_at_least`, `manages`, `ensure_manages`; `IdentifyAgain` during a long answer
- users under lock, for commands: `Users`, `User`, `lock_actor`, `lock_actor_and_user`, `lock_subordinate`,
  `UserNotFoundError`
- a user's sessions, in the transaction of a command: `Sessions`, with `Sessions.end_all_of` to end them
- usernames: `Username`, `USERNAME_RULE` for people, `USERNAME_SHAPE` for the OpenAPI document
- what is published of an account: `Account`, of a `User` by `Account.of`
- what stands where an erased account stood: `is_pseudonym`

In SQL, other modules refer to `users.id` as a foreign key, and read `users.id` and `users.username`, to show names in a
list, say. Of an erased account the row stays, with its id, and its pseudonym as `users.username`. All else in these
tables is this module's own.
"""

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.identity import IdentifyAgain, Identity
from gatehouse.accounts.application.locking import lock_actor, lock_actor_and_user, lock_subordinate
from gatehouse.accounts.application.ports import Sessions, Users
from gatehouse.accounts.domain.authorization import ensure_at_least, ensure_manages, manages
from gatehouse.accounts.domain.errors import UserNotFoundError
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.user import User, is_pseudonym
from gatehouse.accounts.domain.username import RULE as USERNAME_RULE
from gatehouse.accounts.domain.username import SHAPE as USERNAME_SHAPE
from gatehouse.accounts.domain.username import Username

__all__ = [
    "USERNAME_RULE",
    "USERNAME_SHAPE",
    "Account",
    "IdentifyAgain",
    "Identity",
    "Role",
    "Sessions",
    "User",
    "UserNotFoundError",
    "Username",
    "Users",
    "ensure_at_least",
    "ensure_manages",
    "is_pseudonym",
    "lock_actor",
    "lock_actor_and_user",
    "lock_subordinate",
    "manages",
]
