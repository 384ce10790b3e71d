"""Answers that come ready from the database."""


class EncodedJson[T](bytes):
    """The JSON text of a T."""
