"""What a server listens on, and why it cannot."""

import errno
import socket
from pathlib import Path
from typing import Any

import pytest

from gatehouse.common.settings import ConfigError, UvicornSettings
from gatehouse.setup.sockets import listening_sockets

pytestmark = pytest.mark.promise("R9")


def refusal(host: str, port: int = 0) -> str:
    with pytest.raises(ConfigError) as refused, listening_sockets(UvicornSettings(host=host, port=port)):
        pass
    return str(refused.value)


def test_a_name_is_listened_on_at_each_of_its_addresses() -> None:
    with listening_sockets(UvicornSettings(host="localhost", port=0)) as sockets:
        for listener in sockets:
            with socket.create_connection(listener.getsockname()[:2]):
                pass


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_all_addresses_of_ipv6_are_those_of_ipv4_too() -> None:
    with listening_sockets(UvicornSettings(host="::", port=0)) as [listener]:
        with socket.create_connection(("127.0.0.1", listener.getsockname()[1])):
            peer, _ = listener.accept()
        with peer:
            assert peer.getpeername()[0] == "::ffff:127.0.0.1"


@pytest.mark.parametrize("host", ["", "no.such.host.invalid", "x" * 64, "\udc80"])
def test_a_host_that_cannot_be_resolved_is_named(host: str) -> None:
    assert refusal(host) == "uvicorn.host: is no address, and no name that can be resolved."


def test_an_address_of_another_machine_is_named() -> None:
    assert refusal("192.0.2.1") == "uvicorn.host: is no address of this machine."


def test_a_taken_port_is_named() -> None:
    with listening_sockets(UvicornSettings(port=0)) as [listener]:
        port = listener.getsockname()[1]

        assert refusal("127.0.0.1", port).startswith(f"uvicorn.port: {port} is taken; ")


def test_a_port_that_needs_a_privilege_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unprivileged(socket.socket):
        """root, who often runs the tests, may have any port."""

        def bind(self, address: Any) -> None:
            raise PermissionError(errno.EACCES, "Permission denied", address)

    monkeypatch.setattr(socket, "socket", Unprivileged)

    assert refusal("127.0.0.1", 443).startswith("uvicorn.port: 443 needs a privilege (CAP_NET_BIND_SERVICE); ")
