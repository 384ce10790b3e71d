"""The sockets that a server listens on, which all of its processes share."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from gatehouse.common.settings import ConfigError, UvicornSettings

_BACKLOG: Final = 2048
_NO_SUCH_ADDRESS: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@contextmanager
def listening_sockets(uvicorn: UvicornSettings) -> Iterator[list[socket.socket]]:
    """One for each address of the host. They listen from here on: whoever connects early waits for an answer.

    Raises ConfigError where there is none to be had.
    """
    with ExitStack() as stack:
        sockets = []
        for family, address in _resolve(uvicorn):
            try:
                sockets.append(stack.enter_context(_listen(family, address)))
            except OSError as error:
                if error.errno not in _NO_SUCH_ADDRESS:  # localhost may name IPv6 where there is none
                    raise ConfigError(_explain(error, uvicorn.port)) from None
        if not sockets:
            raise ConfigError("uvicorn.host: is no address of this machine.")
        yield sockets


def _resolve(uvicorn: UvicornSettings) -> dict[tuple[socket.AddressFamily, tuple[object, ...]], None]:
    """Each once, in the order in which they are found."""
    try:
        found = socket.getaddrinfo(uvicorn.host, uvicorn.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise ConfigError("uvicorn.host: is no address, and no name that can be resolved.") from None
    return {(family, address): None for family, _, _, _, address in found}


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
            return f"uvicorn.port: {port} is taken; stop what listens there, or choose another one."
        case errno.EACCES:
            return f"uvicorn.port: {port} needs a privilege (CAP_NET_BIND_SERVICE); choose one from 1024 on."
        case _:
            return f"uvicorn.host: cannot be listened on ({error.strerror})."
