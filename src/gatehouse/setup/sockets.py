"""The sockets that a server listens on, which all of its processes share."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, Protocol

from gatehouse.common.settings import ConfigError

_BACKLOG: Final = 2048
_NO_SUCH_ADDRESS: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class Address(Protocol):
    """A section of the settings that says where to listen."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


@contextmanager
def listening_sockets(address: Address, section: str = "uvicorn") -> Iterator[list[socket.socket]]:
    """One for each address of the host. They listen from here on: whoever connects early waits for an answer.

    Raises ConfigError where there is none to be had.
    """
    with ExitStack() as stack:
        sockets = []
        for family, name in _resolve(address, section):
            try:
                sockets.append(stack.enter_context(_listen(family, name)))
            except OSError as error:
                if error.errno not in _NO_SUCH_ADDRESS:  # localhost may name IPv6 where there is none
                    raise ConfigError(f"{section}.{_explain(error, address.port)}") from None
        if not sockets:
            raise ConfigError(f"{section}.host: is no address of this machine.")
        yield sockets


def _resolve(address: Address, section: str) -> dict[tuple[socket.AddressFamily, tuple[object, ...]], None]:
    """Each once, in the order in which they are found."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise ConfigError(f"{section}.host: is no address, and no name that can be resolved.") from None
    return {(family, name): None for family, _, _, _, name in found}


def _listen(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:  # `::` means all addresses, those of IPv4, too, whatever the machine's default
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except BaseException:  # whatever it is, nobody else closes it
        listener.close()
        raise
    return listener


def _explain(error: OSError, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port: {port} is taken; stop what listens there, or choose another one."
        case errno.EACCES:
            return f"port: {port} needs a privilege (CAP_NET_BIND_SERVICE); choose one from 1024 on."
        case _:
            return f"host: cannot be listened on ({error.strerror})."
