"""Says in one line what went wrong in somebody else's code, and where."""

import traceback
from collections.abc import Callable
from types import FrameType
from typing import Final

_LENGTH: Final = 240

type IsTheirs = Callable[[FrameType], bool]


def explain_error(error: BaseException, is_theirs: IsTheirs, *, with_message: bool = True) -> str:
    """`…/loans/module.py, line 3: NameError: …`. The line is the innermost one of their code.

    Without its message where the code that failed had secrets in hand, which a message may quote.
    """
    message = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split()).rstrip(".")
    message = message if with_message else ""
    return f"{_place(error, is_theirs)}{type(error).__name__}{f': {message:.{_LENGTH}}' if message else ''}."


def is_of(package: str) -> IsTheirs:
    """Code of the package, or of one below it: by its name, since folders on the way may have any."""
    return lambda frame: f"{frame.f_globals.get('__name__')}.".startswith(f"{package}.")


def _place(error: BaseException, is_theirs: IsTheirs) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: "
    steps = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if is_theirs(frame)]
    if not steps:
        return ""
    frame, line = steps[-1]
    return f"{frame.f_code.co_filename}, line {line}: "
