from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a browser is given to keep: the token that opens its session, until `expires_at` at the latest."""

    token: str = field(repr=False)
    expires_at: datetime
