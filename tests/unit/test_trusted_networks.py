"""Which entries of uvicorn.trusted_proxies are taken, and how they are read."""

from ipaddress import ip_network

import pytest

from gatehouse.common.settings import UvicornSettings
from tests.unit.configs import PRODUCTION, Config

pytestmark = pytest.mark.promise("E6")

SAID = "GATEHOUSE_UVICORN__TRUSTED_PROXIES"


@pytest.mark.parametrize(
    ("entry", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.9", "10.0.0.9/32"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("2001:DB8::7", "2001:db8::7/128"),
        ("::ffff:10.0.0.9", "10.0.0.9/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ],
)
def test_addresses_and_networks_are_taken(config: Config, entry: str, network: str) -> None:
    settings = config.load(f"[uvicorn]\ntrusted_proxies = ['{entry}']")

    assert settings[UvicornSettings].trusted_networks == [ip_network(network)]


@pytest.mark.parametrize(
    "entry",
    [
        "*",
        "10.0.0.0/33",
        "10.0.0.5/8",
        "10.0.0",
        "010.0.0.1",
        "proxy.internal",
        "localhost",
        "",
        " ",
        " 10.0.0.1",
        "10.0.0.1:80",
        "[::1]",
        "fe80::1%eth0/64",
        "10.0.0.1,10.0.0.2",
        "None",
        "0.0.0.0/0",
        "::/0",
        "::ffff:0:0/96",
    ],
)
@pytest.mark.parametrize("others", ["", "'10.0.0.0/8', "])
@pytest.mark.parametrize("environment", ["development", "production"])
def test_anything_else_is_refused_by_the_name_of_the_key(
    config: Config, entry: str, others: str, environment: str
) -> None:
    environ = {name: value for name, value in PRODUCTION.items() if name != SAID}

    message = config.mistake(
        f"[uvicorn]\ntrusted_proxies = [{others}'{entry}']", **{**environ, "GATEHOUSE_APP__ENVIRONMENT": environment}
    )

    assert message.startswith("uvicorn.trusted_proxies: ")
    assert "\n" not in message


def test_production_says_whom_it_trusts(config: Config) -> None:
    environ = {name: value for name, value in PRODUCTION.items() if name != SAID}

    expected = 'uvicorn.trusted_proxies: production must name its proxies (10.0.0.0/8, say), or say ["none"].'
    assert config.mistake(**environ) == config.mistake(**environ, **{SAID: ""}) == expected


def test_none_trusts_nobody(config: Config) -> None:
    assert config.load(**{**PRODUCTION, SAID: "none"})[UvicornSettings].trusted_networks == []
    assert config.mistake(**{**PRODUCTION, SAID: "none, 10.0.0.0/8"}).startswith("uvicorn.trusted_proxies: ")
