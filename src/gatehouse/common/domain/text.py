"""What counts as text."""


def is_text(value: str) -> bool:
    """Whether it is free of lone surrogates, which come from JSON escapes and terminals and cannot be encoded."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
