"""Values that are never valid, and values that are unsafe in production."""

import re

import pytest

from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.common.settings import AppSettings, Environment
from tests.unit.configs import OLD_SECRET, OTHER_SECRET, PRODUCTION, SECRET, Config

PLACEHOLDERS = [
    "hunter2-change-me-change-me-change-me-change",
    "HUNTER2-CHANGEME-9a8b7c6d5e4f3a2b1c0d9e8f",
    "hunter2 this is my secret, so long and varied",
    "hunter2 example, which everyone can read 123",
    "hunter2 the password of this very server 456",
    "hunter2 pepper and salt and vinegar and oil",
    "hunter2 by default there is no such thing 99",
    "hunter" * 8,
    "0" * 64,
    "abcabc7" * 8,
]


def test_production_starts_with_all_it_needs_and_keeps_nothing(config: Config) -> None:
    settings = config.load(**PRODUCTION)

    assert settings[AppSettings].environment is Environment.PRODUCTION
    assert config.saved_secrets == {}


@pytest.mark.promise("S15", "P7")
def test_production_accepts_secrets_that_were_used_before(config: Config) -> None:
    old = OLD_SECRET.replace(" ", "")

    settings = config.load(**PRODUCTION, GATEHOUSE_JWT__PREVIOUS_SECRETS=old, GATEHOUSE_PASSWORD__PREVIOUS_PEPPERS=old)

    assert settings[JwtSettings].previous_secrets == settings[PasswordSettings].previous_peppers == [old]


def assert_refused(config: Config, key: str, **environ: str) -> None:
    message = config.mistake(**{**PRODUCTION, **environ})

    assert re.fullmatch(rf"{re.escape(key)}: .+\.", message)
    assert "hunter" not in message.lower()
    assert config.saved_secrets == {}


@pytest.mark.promise("K1", "K2")
@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("GATEHOUSE_JWT__SECRET", "", "jwt.secret"),
        ("GATEHOUSE_JWT__SECRET", SECRET[:31], "jwt.secret"),
        ("GATEHOUSE_JWT__PREVIOUS_SECRETS", "hunter2", "jwt.previous_secrets"),
        ("GATEHOUSE_PASSWORD__PEPPER", "", "password.pepper"),
        ("GATEHOUSE_PASSWORD__PEPPER", SECRET[:31], "password.pepper"),
        ("GATEHOUSE_PASSWORD__PEPPER", SECRET, "password.pepper"),
        ("GATEHOUSE_PASSWORD__PREVIOUS_PEPPERS", "hunter2", "password.previous_peppers"),
        ("GATEHOUSE_PASSWORD__WORK_FACTOR", "9", "password.work_factor"),
        ("GATEHOUSE_POSTGRES__URL", "", "postgres.url"),
        ("GATEHOUSE_POSTGRES__URL", "hunter2", "postgres.url"),
        ("GATEHOUSE_POSTGRES__OWNER_URL", "hunter2", "postgres.owner_url"),
        ("GATEHOUSE_POSTGRES__REPLICA_URL", "hunter2", "postgres.replica_url"),
        ("GATEHOUSE_COOKIE__SECURE", "false", "cookie.secure"),
        ("GATEHOUSE_LOGS__LEVEL", "debug", "logs.level"),
        ("GATEHOUSE_APP__ORIGIN", "", "app.origin"),
        ("GATEHOUSE_APP__ORIGIN", "http://hunter2.example", "app.origin"),
        ("GATEHOUSE_APP__ORIGIN", "hunter2.example", "app.origin"),
        ("GATEHOUSE_APP__ORIGIN", "https://", "app.origin"),
        ("GATEHOUSE_APP__ORIGIN", "https:///hunter2", "app.origin"),
    ],
)
def test_production_refuses_to_start_unsafely(config: Config, name: str, value: str, key: str) -> None:
    assert_refused(config, key, **{name: value})


@pytest.mark.promise("K1")
@pytest.mark.parametrize("secret", PLACEHOLDERS)
@pytest.mark.parametrize("key", ["jwt.secret", "password.pepper"])
def test_production_refuses_placeholders(config: Config, key: str, secret: str) -> None:
    assert_refused(config, key, **{f"GATEHOUSE_{key.replace('.', '__').upper()}": secret})


@pytest.mark.promise("K1")
@pytest.mark.parametrize("key", ["jwt.previous_secrets", "password.previous_peppers"])
def test_nor_does_production_believe_what_a_placeholder_signed(config: Config, key: str) -> None:
    assert_refused(config, key, **{f"GATEHOUSE_{key.replace('.', '__').upper()}": "changeme" + "0123456789" * 4})


@pytest.mark.promise("P14")
@pytest.mark.parametrize("name", ["absent.txt", "tests", "a\0name"])
@pytest.mark.parametrize("key", ["blocklist", "phrases", "breached"])
def test_a_list_of_passwords_that_cannot_be_read_is_refused_at_the_start(config: Config, key: str, name: str) -> None:
    message = config.mistake(**{f"GATEHOUSE_PASSWORD__{key.upper()}": name})

    assert message == f"password.{key}: the file it names cannot be read."


@pytest.mark.promise("P14")
def test_a_breached_file_that_is_not_sorted_is_refused_at_the_start(config: Config) -> None:
    (config.folder / "breached.txt").write_text(f"{'F' * 40}:1\n{'0' * 40}:1\n")

    message = config.mistake(GATEHOUSE_PASSWORD__BREACHED="breached.txt")

    assert message == "password.breached: the file it names must be sorted by hash."


@pytest.mark.parametrize("environment", ["development", "test"])
def test_elsewhere_a_placeholder_will_do_but_a_short_secret_will_not(config: Config, environment: str) -> None:
    settings = config.load(GATEHOUSE_APP__ENVIRONMENT=environment, GATEHOUSE_JWT__SECRET=PLACEHOLDERS[0])
    assert settings[JwtSettings].secret == PLACEHOLDERS[0]

    message = config.mistake(GATEHOUSE_APP__ENVIRONMENT=environment, GATEHOUSE_JWT__SECRET=PLACEHOLDERS[0][:31])
    assert message.startswith("jwt.secret: ")


@pytest.mark.promise("K1")
def test_a_secret_of_a_file_is_judged_like_any_other(config: Config) -> None:
    (config.folder / "pepper").write_text("changeme\n" * 8)
    environ = {name: value for name, value in PRODUCTION.items() if name != "GATEHOUSE_PASSWORD__PEPPER"}

    message = config.mistake(**environ, GATEHOUSE_PASSWORD__PEPPER_FILE=str(config.folder / "pepper"))

    assert message.startswith("password.pepper: ")


def test_secrets_of_both_kinds_are_found_to_be_the_same_wherever_they_come_from(config: Config) -> None:
    (config.folder / "pepper").write_text(f"{SECRET}\n")
    environ = {name: value for name, value in PRODUCTION.items() if name != "GATEHOUSE_PASSWORD__PEPPER"}

    message = config.mistake(**environ, GATEHOUSE_PASSWORD__PEPPER_FILE=str(config.folder / "pepper"))

    assert message == "password.pepper: must be another secret than jwt.secret."
    assert OTHER_SECRET not in message


@pytest.mark.promise("C1")
@pytest.mark.parametrize(
    "origin",
    [
        "hunter2.example",
        "ftp://hunter2.example",
        "https://hunter2.example/",
        "https://me@hunter2.example",
        "https://hunter2.example:84430",
        "https://hunter2.example:port",
        "https://hunter2.example\n",
        "https://[::1",
        "https://[hunter2]",
    ],
)
@pytest.mark.parametrize("environment", ["development", "production"])
def test_an_origin_that_no_browser_would_send_is_refused(config: Config, environment: str, origin: str) -> None:
    assert_refused(config, "app.origin", GATEHOUSE_APP__ENVIRONMENT=environment, GATEHOUSE_APP__ORIGIN=origin)


@pytest.mark.promise("C6")
@pytest.mark.parametrize("host", ["*", "https://hunter2.example", "hunter2.example:443", "hunter2/", "[2001:db8::7]"])
def test_a_host_that_no_request_could_name_is_refused(config: Config, host: str) -> None:
    assert_refused(config, "app.hosts", GATEHOUSE_APP__HOSTS=host)


@pytest.mark.parametrize("data_dir", ["", ".", "/", "..", "data/..", "a\0name"])
def test_a_data_directory_is_a_folder_of_its_own(config: Config, data_dir: str) -> None:
    message = config.mistake(GATEHOUSE_POSTGRES__DATA_DIR=data_dir)

    assert message == "postgres.data_dir: must name a folder of its own."
