"""Answers that come ready from the database."""


class Json[T](bytes):
    """The JSON text of a T."""
