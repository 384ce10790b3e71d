"""Header fields as they came, without an object around them."""

from starlette.types import Scope


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Those of the fields of this name, which is in lower case, as servers pass names on."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
