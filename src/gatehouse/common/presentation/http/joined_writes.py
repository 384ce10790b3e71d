"""One system call for an answer, instead of one for its head and one for its body."""

from asyncio import AbstractEventLoop, Transport
from typing import Any


class JoinedWrites(Transport):
    """Holds a write back until the next one, at most until the event loop goes on to something else.

    Each write to a socket is a system call that may wake the client up: for a small answer, most of what sending costs.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._held:
            self._transport.write(self._held + data)
            self._held = b""
        else:
            self._held = bytes(data)
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Emptied first: a write that fails is not tried again."""
        held, self._held = self._held, b""
        if held:
            self._transport.write(held)

    def drop(self) -> None:
        """Of a connection that is lost, to which nothing can be written any more."""
        self._held = b""

    def write_eof(self) -> None:
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        self.drop()
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # the transport's signature
        return self._transport.get_extra_info(name, default)
