"""What can go wrong, by category. A category decides the HTTP status; a class decides the problem's slug and text."""

from typing import ClassVar


class GatehouseError(Exception):
    """Anything Gatehouse refuses on purpose. `slug` names the problem to clients, `title` says it in a line."""

    slug: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or self.title
        super().__init__(self.detail)


class InvalidError(GatehouseError):
    """The input breaks a rule. `field` names the offending field; the value itself is never repeated."""

    slug = "invalid-input"
    title = "The request holds an invalid value."

    def __init__(self, field: str, message: str) -> None:
        super().__init__()
        self.field = field
        self.message = message


class UnauthenticatedError(GatehouseError):
    slug = "unauthenticated"
    title = "Log in first."


class ForbiddenError(GatehouseError):
    slug = "forbidden"
    title = "Your role does not allow this."


class NotFoundError(GatehouseError):
    slug = "not-found"
    title = "There is nothing here."


class ConflictError(GatehouseError):
    """The request is well-formed, but the present state does not admit it."""


class ThrottledError(GatehouseError):
    """Too many guesses. `retry_after` is in whole seconds."""

    slug = "too-many-attempts"
    title = "Too many attempts; wait before the next one."

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.retry_after = retry_after


class UnavailableError(GatehouseError):
    """Nothing has happened, unless it is an OutcomeUnknownError."""

    slug = "unavailable"
    title = "The service cannot answer right now; try again shortly."


class TransactionConflictError(UnavailableError):
    """Rolled back because of a parallel transaction. Nothing was committed, so it may be retried."""


class OutcomeUnknownError(UnavailableError):
    """The commit was not answered, so the change may have been made. Commands are safe to repeat, but by the caller."""

    slug = "outcome-unknown"
    title = "The database did not confirm the change, which may have been made all the same; it is safe to try again."


class PasswordChangeRequiredError(ForbiddenError):
    slug = "password-change-required"
    title = "Change your password first: an admin has chosen it."


class AlreadyAuthenticatedError(ConflictError):
    slug = "already-authenticated"
    title = "You are logged in already; log out first."
