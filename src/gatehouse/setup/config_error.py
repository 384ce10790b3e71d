class ConfigError(Exception):
    """One line for the operator. It never repeats a value, which might be a secret."""
