"""Who is calling."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.errors import ForbiddenError
from app.domain.role import Role


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller as the session store knew it at the start of this request.

    Enough to answer a query. A command decides again on the locked row: the role may have changed meanwhile.
    """

    user_id: UUID
    session_id: UUID
    role: Role

    def ensure_at_least(self, role: Role) -> None:
        if not self.role.is_at_least(role):
            raise ForbiddenError
