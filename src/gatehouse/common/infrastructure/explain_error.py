"""Says in one line what went wrong in somebody else's code, and where."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

_LENGTH: Final = 240


def explain_error(error: BaseException, is_theirs: Callable[[Path], bool], *, with_message: bool = True) -> str:
    """`…/loans/module.py, line 3: NameError: …`. The line is the innermost one in their files.

    Without its message where the code that failed had secrets in hand, which a message may quote.
    """
    message = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split()).rstrip(".")
    message = message if with_message else ""
    return f"{_place(error, is_theirs)}{type(error).__name__}{f': {message:.{_LENGTH}}' if message else ''}."


def _place(error: BaseException, is_theirs: Callable[[Path], bool]) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: "
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_theirs(Path(frame.filename))]
    return f"{frames[-1].filename}, line {frames[-1].lineno}: " if frames else ""
