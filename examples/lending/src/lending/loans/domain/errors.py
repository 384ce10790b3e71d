"""What can go wrong. The category decides the status: a ConflictError is 409, a NotFoundError 404."""

from gatehouse.common.domain.errors import ConflictError, NotFoundError


class ItemExistsError(ConflictError):
    slug = "item-exists"
    title = "There is an item of this name."


class ItemNotFoundError(NotFoundError):
    slug = "item-not-found"
    title = "There is no such item."


class ItemLentError(ConflictError):
    slug = "item-lent"
    title = "Somebody has this item."


class ItemNotLentError(ConflictError):
    slug = "item-not-lent"
    title = "Nobody has this item."


class InactiveBorrowerError(ConflictError):
    slug = "inactive-borrower"
    title = "This account is inactive, so nothing is lent to it."


class LoanLimitError(ConflictError):
    slug = "loan-limit"
    title = "This borrower has as many items as are lent to one person."
