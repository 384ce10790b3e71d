"""Which origins can be configured."""

import pytest

from gatehouse.common.module import ensure_safe
from gatehouse.common.settings import (
    AppSettings,
    ConfigError,
    Environment,
    HttpSettings,
    PostgresSettings,
    Settings,
    UvicornSettings,
)


@pytest.mark.promise("C4")
@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "",
        "app.example.org",
        "//app.example.org",
        "ftp://app.example.org",
        "https://app.example.org/",
        "https://app.example.org/path",
        "https://app.example.org?",
        "https://user@app.example.org",
        "https://*.example.org",
        "https://APP.example.org",
        "HTTPS://app.example.org",
        "https://app.example.org:443",
        "http://app.example.org:80",
        "https://app.example.org:0",
        "https://app.example.org:99999",
        "https://app.example.org https://evil.test",
        "https://app.example.org\n",
        "https://[::1",
    ],
)
def test_what_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(ConfigError, match=r"^http\.cors_origins: [^\n]*$"):
        ensure_safe(Settings(HttpSettings(cors_origins=["https://good.example.org", origin])))


@pytest.mark.promise("C4")
@pytest.mark.parametrize(
    "origin",
    ["https://app.example.org", "https://app.example.org:8443", "http://localhost:5173", "http://[::1]:3000"],
)
def test_an_origin_as_browsers_send_it_is_taken(origin: str) -> None:
    ensure_safe(Settings(HttpSettings(cors_origins=[origin])))


@pytest.mark.promise("C4")
def test_production_takes_those_alone_that_nobody_can_forge() -> None:
    production = Settings(
        AppSettings(environment=Environment.PRODUCTION, origin="https://gatehouse.test"),
        PostgresSettings(url="postgresql:///gatehouse"),
        UvicornSettings(trusted_proxies=["none"]),
    )

    ensure_safe(production.replace(HttpSettings(cors_origins=["https://app.example.org"])))
    with pytest.raises(ConfigError, match=r"^http\.cors_origins: must be https://"):
        ensure_safe(production.replace(HttpSettings(cors_origins=["http://app.example.org"])))
