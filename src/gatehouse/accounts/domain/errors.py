"""What can go wrong with accounts and sessions."""

from gatehouse.common.domain.errors import ConflictError, NotFoundError, UnauthenticatedError


class InvalidCredentialsError(UnauthenticatedError):
    slug = "invalid-credentials"
    title = "The username or the password is wrong, or the account is inactive."


class SessionNotFoundError(NotFoundError):
    slug = "session-not-found"
    title = "There is no such session."


class UserNotFoundError(NotFoundError):
    """Only told to those who may know: the caller's role is judged first."""

    slug = "user-not-found"
    title = "There is no such user."


class UsernameTakenError(ConflictError):
    slug = "username-taken"
    title = "This username is taken."


class LastSuperAdminError(ConflictError):
    slug = "last-super-admin"
    title = "The last active super admin cannot be removed."
