"""Which parts of the HTTP interface are there at all."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import doc


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSettings:
    """Whole capabilities. One that is off is not there: 404, and no word in the OpenAPI document."""

    sign_up: Annotated[bool, doc("strangers may make themselves an account")] = True
    console: Annotated[bool, doc("the pages in the browser, under /console/")] = True
    docs: Annotated[bool | None, doc("the documentation page; unset: everywhere but in production")] = None
