"""Request bodies. Unknown fields are refused, and nothing is converted: a number is no string."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.domain import password, username


def _ensure_is_text(value: str) -> str:
    if not password.is_text(value):
        raise ValueError("Must be valid Unicode text")
    return value


Text = Annotated[str, AfterValidator(_ensure_is_text)]
UsernameField = Annotated[Text, Field(description=f"{username.RULE}; case does not count.", examples=["alice"])]
PasswordField = Annotated[Text, Field(repr=False, examples=["correct horse battery staple"])]
NewPasswordField = Annotated[
    Text,
    Field(
        repr=False,
        description=f"At most {password.MAX_LENGTH} characters, any of Unicode; counted after NFC.",
        examples=["correct horse battery staple"],
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
