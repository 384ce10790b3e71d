"""Refusals that only exist over HTTP."""

from gatehouse.common.domain.errors import ForbiddenError, GatehouseError, UnauthenticatedError


class CrossSiteRequestError(ForbiddenError):
    slug = "cross-site-request"
    title = "This request comes from another site."


class InvalidHostError(GatehouseError):
    slug = "invalid-host"
    title = "This service does not answer to that host name."


class BadRequestError(GatehouseError):
    slug = "bad-request"
    title = "This is no request that HTTP allows."


class RequestTimeoutError(GatehouseError):
    slug = "request-timeout"
    title = "The request did not come in complete in time."


class HeadTooLargeError(GatehouseError):
    slug = "head-too-large"
    title = "The request's head is larger than 32 KiB or 100 fields."


class MethodNotAllowedError(GatehouseError):
    slug = "method-not-allowed"
    title = "This method is not allowed here."


class ContentTooLargeError(GatehouseError):
    slug = "content-too-large"
    title = "The body is larger than 16 KiB."


class UnsupportedMediaTypeError(GatehouseError):
    slug = "unsupported-media-type"
    title = "Send the body as application/json, without a content coding."


class FormRequiredError(UnsupportedMediaTypeError):
    title = "Send the form as application/x-www-form-urlencoded, without a content coding."


class InternalError(GatehouseError):
    slug = "internal-error"
    title = "Something went wrong on our side; it has been logged."


class TwoSessionCookiesError(UnauthenticatedError):
    """An attack or a fault; neither cookie is trusted."""
