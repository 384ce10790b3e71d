"""Request bodies. Unknown fields are refused, and nothing is converted: a number is no string."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gatehouse.accounts.domain import password, username


def _ensure_is_text(value: str) -> str:
    if not password.is_text(value):
        raise ValueError("Must be valid Unicode text")
    return value


USERNAME_SHAPE: Final[dict[str, Any]] = {
    "minLength": username.MIN_LENGTH,
    "maxLength": username.MAX_LENGTH,
    "pattern": "^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$",
}
"""For the document. The domain is what judges."""
_EXAMPLE: Final = "seven lanterns over a quiet harbour"

Text = Annotated[str, AfterValidator(_ensure_is_text)]
UsernameField = Annotated[
    Text,
    Field(
        description=f"{username.RULE}; case does not count.", examples=["alice"], json_schema_extra={**USERNAME_SHAPE}
    ),
]
PasswordField = Annotated[Text, Field(repr=False, examples=[_EXAMPLE])]
NewPasswordField = Annotated[
    Text,
    Field(
        repr=False,
        description=f"At most {password.MAX_LENGTH} characters, any of Unicode; counted after NFC.",
        examples=[_EXAMPLE],
    ),
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


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
