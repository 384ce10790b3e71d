"""What counts as text."""


def is_text(value: str) -> bool:
    """Lone surrogates come from JSON escapes and from terminals; no encoding has a place for them."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
