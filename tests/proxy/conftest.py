"""The application behind HAProxy and behind nginx, which both say that every client is CLIENT_IP."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatehouse.common.settings import Settings, UvicornSettings
from tests.http.served_app import PATIENCE_SECONDS, Connection, ServedApp, serve_app

CLIENT_IP = "203.0.113.5"
REQUEST_ID = "chosen-by-the-proxy"
_HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
frontend proxy
    bind {socket}
    http-request set-header X-Forwarded-For {ip}
    http-request set-header X-Request-ID {request_id}
    http-request del-header Sec-Fetch-Site
    default_backend application
backend application
    server application 127.0.0.1:{port}
"""
_NGINX = """\
pid {folder}/nginx.pid;
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
    upstream application {{
        server 127.0.0.1:{port};
        keepalive 8;
    }}
    server {{
        listen unix:{socket};
        location / {{
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For {ip};
            proxy_set_header X-Request-ID {request_id};
            proxy_set_header Sec-Fetch-Site "";
        }}
    }}
}}
"""
_PROXIES = {"haproxy": (_HAPROXY, ["-db", "-f"]), "nginx": (_NGINX, ["-c"])}


@dataclass
class ProxiedApp(ServedApp):
    path: Path

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with socket.socket(socket.AF_UNIX) as connected:
            connected.settimeout(PATIENCE_SECONDS)
            connected.connect(str(self.path))
            yield Connection(connected)


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[ServedApp]:
    with serve_app(settings.replace(UvicornSettings(trusted_proxies=["127.0.0.1"]))) as served_app:
        yield served_app


@pytest.fixture(scope="session", params=_PROXIES)
def proxied_app(
    request: pytest.FixtureRequest, server: ServedApp, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxiedApp]:
    program = shutil.which(request.param)
    assert program, f"install {request.param} to run these tests"
    template, options = _PROXIES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    path, config = folder / "socket", folder / "config"
    config.write_text(
        template.format(folder=folder, socket=path, port=server.port, ip=CLIENT_IP, request_id=REQUEST_ID)
    )
    process = subprocess.Popen([program, *options, config])
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while not path.exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        yield ProxiedApp(server.port, path)
    finally:
        process.terminate()
        process.wait()
