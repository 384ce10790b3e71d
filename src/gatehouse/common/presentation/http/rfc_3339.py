"""Times as clients write them. Pydantic also takes numbers, and times without an offset, which are ambiguous."""

import re
from typing import Final

RULE: Final = "Must be an RFC 3339 time with an offset"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def is_rfc_3339(value: object) -> bool:
    """Whether it has the form; whether there is such a day, pydantic tells."""
    return isinstance(value, str) and _TIME.fullmatch(value) is not None
