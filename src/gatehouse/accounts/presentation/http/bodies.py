"""Request bodies, and the parameter that names a user."""

from typing import Annotated, Any, Final, Literal

from fastapi import Path
from pydantic import Field

from gatehouse.accounts.domain import password, username
from gatehouse.common.presentation.http.bodies import Body, Text

_SHAPE: Final[dict[str, Any]] = {**username.SHAPE}
_EXAMPLE: Final = "seven lanterns over a quiet harbour"

UsernameField = Annotated[
    Text,
    Field(description=f"{username.RULE}; case does not count.", examples=["alice"], json_schema_extra=_SHAPE),
]
UsernameInPath = Annotated[str, Path(json_schema_extra=_SHAPE)]
"""Any text: the domain validates it."""
PasswordField = Annotated[Text, Field(repr=False, examples=[_EXAMPLE])]
NewPasswordField = Annotated[
    Text,
    Field(
        repr=False,
        description=f"At most {password.MAX_LENGTH} characters, any of Unicode; counted after NFC.",
        examples=[_EXAMPLE],
    ),
]


class UsernameBody(Body):
    username: UsernameField


class SignUpBody(Body):
    username: UsernameField
    password: NewPasswordField


class LogInBody(Body):
    username: UsernameField
    password: PasswordField


class CreateUserBody(Body):
    username: UsernameField
    password: NewPasswordField
    role: Annotated[Literal["user", "admin"], Field(description="`admin` to super admins only.")] = "user"


class ChangePasswordBody(Body):
    username: UsernameField
    password: NewPasswordField
    current_password: Annotated[
        Text | None, Field(repr=False, description="Needed for one's own password, not for a subordinate's.")
    ] = None
