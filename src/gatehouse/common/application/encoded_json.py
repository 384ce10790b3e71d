"""Responses that the database has already encoded."""


class EncodedJson[T](bytes):
    """The JSON text of a T."""
