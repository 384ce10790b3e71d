"""Who is calling."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.username import Username
from gatehouse.common.domain.errors import PasswordChangeRequiredError


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller, as read with the session at the start of this request.

    Enough to answer a query. A command decides again on the locked row: the role may have changed meanwhile.
    """

    user_id: UUID
    session_id: UUID
    username: Username
    role: Role
    must_change_password: bool = False

    @property
    def name(self) -> str:
        return self.username.value

    def ensure_password_is_own(self) -> None:
        """A user whose password an admin chose may only change it."""
        if self.must_change_password:
            raise PasswordChangeRequiredError


class IdentifyAgain(Protocol):
    """For a request that goes on for long: reads the caller as the session and the account are now, which counts as
    use of the session. Raises UnauthenticatedError.
    """

    async def __call__(self) -> Identity: ...
