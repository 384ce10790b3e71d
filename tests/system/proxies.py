"""nginx and HAProxy with the configurations of docs/operations/proxies.md, before an application on this machine."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.http.served_app import PATIENCE_SECONDS, Connection, ServedApp
from tests.system.page import PROXIES, fill_in, snippet
from tests.system.processes import free_port, is_taken, run_beside

CLIENT_IP = "127.0.0.9"
"""From where the tests connect to a proxy, which connects to the application from 127.0.0.1."""
_NGINX = """\
pid {folder}/pid;
error_log stderr;
daemon off;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""


@dataclass
class ProxiedApp(ServedApp):
    """Reached over TLS, from CLIENT_IP."""

    proxy_port: int

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        address = ("127.0.0.1", self.proxy_port)
        with (
            socket.create_connection(address, PATIENCE_SECONDS, source_address=(CLIENT_IP, 0)) as connected,
            context.wrap_socket(connected, suppress_ragged_eofs=True) as encrypted,
        ):
            yield Connection(encrypted)


@contextmanager
def nginx(app: ServedApp, folder: Path, *, more: str = "") -> Iterator[ProxiedApp]:
    """`more` stands in the server's block, too."""
    certificate, port = make_certificate(folder), free_port()
    server = fill_in(
        snippet("nginx", "upstream gatehouse", PROXIES),
        {
            "127.0.0.1:8000": f"127.0.0.1:{app.port}",
            "listen 443": f"listen 127.0.0.1:{port}",
            "/etc/ssl/accounts.example.com.pem": certificate,
            "/etc/ssl/accounts.example.com.key": certificate,
        },
    )
    head, _, end = server.rpartition("}")
    config = folder / "config"
    config.write_text(_NGINX.format(folder=folder, servers=f"{head}{more}}}{end}"))
    with run_beside(["nginx", "-c", config], lambda: is_taken(port), folder / "log"):
        yield ProxiedApp(app.port, port)


@contextmanager
def haproxy(app: ServedApp, folder: Path) -> Iterator[ProxiedApp]:
    certificate, port = make_certificate(folder), free_port()
    text = fill_in(
        snippet("haproxy", "defaults", PROXIES),
        {
            "127.0.0.1:8000": f"127.0.0.1:{app.port}",
            "bind :443": f"bind 127.0.0.1:{port}",
            "/etc/ssl/accounts.example.com.both": certificate,
        },
    )
    config = folder / "config"
    config.write_text(text)
    with run_beside(["haproxy", "-db", "-f", config], lambda: is_taken(port), folder / "log"):
        yield ProxiedApp(app.port, port)


def make_certificate(folder: Path) -> Path:
    """A file with a certificate of its own and the key."""
    key, certificate, both = folder / "key", folder / "certificate", folder / "both"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=accounts.example.com"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    both.write_text(certificate.read_text() + key.read_text())
    return both
