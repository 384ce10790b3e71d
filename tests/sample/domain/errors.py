from gatehouse.common.domain.errors import ConflictError, NotFoundError


class BadgeTakenError(ConflictError):
    slug = "badge-taken"
    title = "There is a badge of this name."


class BadgeNotFoundError(NotFoundError):
    slug = "badge-not-found"
    title = "There is no such badge."
