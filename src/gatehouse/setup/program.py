"""The program `gatehouse`: what signals do to it, before all else."""

import signal
from types import FrameType


def main() -> None:
    """SIGTERM, and SIGHUP of a terminal that is closed, end a command as Ctrl-C does, which tidies up. By default they
    would leave behind what was begun, such as the draft of an export with its hashes. `serve` has handlers of its own.
    """
    _import_all()
    from gatehouse.setup.cli import main as run_command_line  # noqa: PLC0415  # as below
    from gatehouse.setup.stoppable_server import STOP_SIGNALS  # noqa: PLC0415

    for number in STOP_SIGNALS - {signal.SIGINT}:
        signal.signal(number, _interrupt)
    run_command_line()


def _import_all() -> None:
    """It takes a second or two. Ctrl-C has nothing to tidy up yet, and would only show where the import was."""
    is_interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not behind `&` in a script
    if is_interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    import gatehouse.setup.cli  # noqa: F401, PLC0415

    if is_interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(_: int, frame: FrameType | None) -> None:
    handle_interrupt = signal.getsignal(signal.SIGINT)
    if callable(handle_interrupt):  # asyncio's, as long as that runs
        handle_interrupt(signal.SIGINT, frame)
    else:  # ignored
        raise KeyboardInterrupt
