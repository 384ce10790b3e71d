import re
from pathlib import Path

import pytest

from gatehouse.accounts.settings import JwtSettings, PasswordSettings
from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import (
    AppSettings,
    ConfigError,
    CookieSettings,
    Environment,
    LogLevel,
    LogSettings,
    PostgresSettings,
    UvicornSettings,
)
from gatehouse.setup.load_settings import load_settings
from gatehouse.setup.modules import MODULES
from tests.root import ROOT
from tests.unit.configs import OLD_SECRET, OTHER_SECRET, PRODUCTION, SECRET, Config


def test_what_is_not_configured_has_a_default(config: Config) -> None:
    settings = config.load()

    assert settings[AppSettings].environment is Environment.DEVELOPMENT
    assert not settings.has_secure_cookies
    assert settings[LogSettings].level is LogLevel.INFO


def test_the_configuration_that_comes_along_is_good(tmp_path: Path) -> None:
    settings = load_settings(ROOT / "config.toml", environ={"GATEHOUSE_POSTGRES__DATA_DIR": str(tmp_path / "postgres")})

    assert settings[AppSettings].environment is Environment.DEVELOPMENT
    assert not settings.has_secure_cookies


def test_a_value_in_the_file_counts(config: Config) -> None:
    assert config.load('[uvicorn]\nport = 9000\n[logs]\nlevel = "debug"')[UvicornSettings].port == 9000


@pytest.mark.promise("K2")
@pytest.mark.parametrize(
    ("toml", "key", "value"),
    [
        ('[app]\nenvironmint = "hunter2"', "app.environmint", "hunter2"),
        ('[hunting]\nkey = "hunter2"', "hunting", "hunter2"),
        ('[app]\nenvironment = "hunter2"', "app.environment", "hunter2"),
        ("[app]\norigin = 31337", "app.origin", "31337"),
        ('[features]\ndocs = "hunter2"', "features.docs", "hunter2"),
        ('[uvicorn]\nport = "31337"', "uvicorn.port", "31337"),
        ("[uvicorn]\nport = true", "uvicorn.port", "rue"),
        ("[uvicorn]\nport = 313370", "uvicorn.port", "313370"),
        ("[uvicorn]\nport = -313", "uvicorn.port", "313"),
        ("[uvicorn]\nworkers = 31337", "uvicorn.workers", "31337"),
        ("[postgres]\nurl = 31337", "postgres.url", "31337"),
        ("[postgres]\npool_size = 31337", "postgres.pool_size", "31337"),
        ("[postgres]\npool_size = -313", "postgres.pool_size", "313"),
        ("[session]\nidle_minutes = 31337", "session.idle_minutes", "31337"),
        ("[session]\nabsolute_hours = 31337", "session.absolute_hours", "31337"),
        ("[cookie]\nsecure = 31337", "cookie.secure", "31337"),
        ("[jwt]\nsecret = 31337", "jwt.secret", "31337"),
        ('[jwt]\nsecret = "hunter2"', "jwt.secret", "hunter2"),
        ('[password]\npepper = ["hunter2"]', "password.pepper", "hunter2"),
        ('[password]\npepper = "hunter2"', "password.pepper", "hunter2"),
        ("[password]\nwork_factor = 31337", "password.work_factor", "31337"),
        ("[password]\nmin_length = 31337", "password.min_length", "31337"),
        ('[app]\nhosts = "hunter2"', "app.hosts", "hunter2"),
        ("[app]\nhosts = [31337]", "app.hosts.0", "31337"),
        ("[uvicorn]\ntrusted_proxies = 31337", "uvicorn.trusted_proxies", "31337"),
        ('[postgres]\nurl = "hunter2"', "postgres.url", "hunter2"),
        ('[postgres]\nowner_url = "hunter2"', "postgres.owner_url", "hunter2"),
        ("[session]\nmax_per_user = 31337", "session.max_per_user", "31337"),
        ('[jwt]\nprevious_secrets = "hunter2"', "jwt.previous_secrets", "hunter2"),
        ('[jwt]\nprevious_secrets = ["hunter2"]', "jwt.previous_secrets", "hunter2"),
        ('[password]\nprevious_peppers = ["hunter2"]', "password.previous_peppers", "hunter2"),
        ("[password]\nblocklist = 31337", "password.blocklist", "31337"),
        ("[throttle]\nattempts_per_account = 31337", "throttle.attempts_per_account", "31337"),
        ("[throttle]\nattempts_per_acount = 31337", "throttle.attempts_per_acount", "31337"),
        ('[logs]\nlevel = "hunter2"', "logs.level", "hunter2"),
        ('[logs]\nformat = "hunter2"', "logs.format", "hunter2"),
        ('logs = "hunter2"', "'logs'", "hunter2"),
    ],
)
def test_a_mistake_in_the_file_is_one_line_with_the_key_and_without_the_value(
    config: Config, toml: str, key: str, value: str
) -> None:
    message = config.mistake(toml)

    assert re.fullmatch(rf"{re.escape(key)}: .+\.", message)
    assert value not in message


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [
        ("uvicorn.port", 0, 65_535),
        ("uvicorn.workers", 1, 128),
        ("postgres.pool_size", 1, 1_000),
        ("session.idle_minutes", 1, 1_440),
        ("session.absolute_hours", 1, 720),
        ("session.max_per_user", 1, 1_000),
        ("throttle.attempts_per_account", 1, 1_000),
        ("throttle.attempts_per_address", 1, 1_000_000),
        ("throttle.sign_ups_per_address", 1, 1_000_000),
        ("throttle.memory_minutes", 1, 10_080),
        ("throttle.longest_wait_seconds", 1, 86_400),
        ("password.work_factor", 4, 20),
        ("password.min_length", 8, 64),
    ],
)
def test_both_ends_of_a_range_are_inside_it(config: Config, key: str, low: int, high: int) -> None:
    section, name = key.split(".")

    for value in (low, high):
        settings = config.load(f'[app]\nenvironment = "test"\n[{section}]\n{name} = {value}')
        assert getattr(settings[MODULES.settings[section]], name) == value
    for value in (low - 1, high + 1):
        assert config.mistake(f"[{section}]\n{name} = {value}") == f"{key}: must be from {low} to {high}."


@pytest.mark.parametrize("data_dir", ["", "."])
def test_the_data_has_a_folder_of_its_own(config: Config, data_dir: str) -> None:
    message = config.mistake(GATEHOUSE_POSTGRES__DATA_DIR=data_dir)

    assert message == "postgres.data_dir: must name a folder of its own."


@pytest.mark.promise("P8")
def test_weak_hashing_is_for_tests_alone(config: Config) -> None:
    assert (
        config.load(GATEHOUSE_APP__ENVIRONMENT="test", GATEHOUSE_PASSWORD__WORK_FACTOR="9")[
            PasswordSettings
        ].work_factor
        == 9
    )
    assert config.mistake(GATEHOUSE_PASSWORD__WORK_FACTOR="9").startswith("password.work_factor: ")


@pytest.mark.parametrize("text", ["[jwt]\nsecret = 'hunter2", "[jwt]\nsecret = hunter2", "hunter2"])
def test_what_is_not_toml_is_one_line_that_names_the_file(config: Config, text: str) -> None:
    message = config.mistake(text)

    assert message.startswith(f"{config.folder / 'config.toml'}: ")
    assert "\n" not in message
    assert "hunter2" not in message


def test_a_missing_file_is_one_line_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_settings(tmp_path / "absent.toml", {})

    assert str(refusal.value) == f"{tmp_path / 'absent.toml'}: cannot be read."


def test_the_environment_overrides_the_file(config: Config) -> None:
    settings = config.load(
        '[uvicorn]\nport = 9000\nhost = "::1"',
        GATEHOUSE_UVICORN__PORT="9001",
        GATEHOUSE_COOKIE__SECURE="FALSE",
        GATEHOUSE_FEATURES__DOCS="true",
        GATEHOUSE_LOGS__LEVEL="error",
    )

    assert (settings[UvicornSettings].port, settings[UvicornSettings].host) == (9001, "::1")
    assert (settings[CookieSettings].secure, settings[FeatureSettings].docs) == (False, True)
    assert settings[LogSettings].level is LogLevel.ERROR


@pytest.mark.parametrize(
    ("toml", "serves"),
    [
        ("[app]\ndocs = false", False),
        ("[app]\ndocs = true\n[features]\ndocs = false", False),
        ("[app]\ndocs = false\n[features]\ndocs = true", True),
    ],
)
def test_the_deprecated_switch_of_the_documentation_counts_where_its_new_place_is_unset(
    config: Config, toml: str, *, serves: bool
) -> None:
    assert config.load(toml)[FeatureSettings].docs is serves


@pytest.mark.parametrize("name", ["PATH", "UVICORN__PORT", "GATEHOUSE_PORT", "gatehouse_uvicorn__port"])
def test_other_variables_do_not_matter(config: Config, name: str) -> None:
    assert config.load(**{name: "hunter2"})[UvicornSettings].port == 8000


@pytest.mark.promise("K2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEHOUSE_UVICORN__PORT", "hunter2"),
        ("GATEHOUSE_JWT__PREVIOUS_SECRETS_FILE", "/no/such/hunter2"),
        ("GATEHOUSE_UVICORN__PORT", ""),
        ("GATEHOUSE_COOKIE__SECURE", "hunter2"),
        ("GATEHOUSE_COOKIE__SECURE", "1"),
        ("GATEHOUSE_FEATURES__DOCS", "hunter2"),
        ("GATEHOUSE_APP__NO_SUCH", "hunter2"),
        ("GATEHOUSE_NO__SUCH", "hunter2"),
        ("GATEHOUSE_JWT__SECRET_FILE", "/no/such/hunter2"),
        ("GATEHOUSE_JWT__SECRET_FILE", "/"),
        ("GATEHOUSE_JWT__FILE", "hunter2"),
    ],
)
def test_a_mistake_in_a_variable_is_one_line_with_its_name_and_without_its_value(
    config: Config, name: str, value: str
) -> None:
    message = config.mistake(**{name: value})

    assert re.fullmatch(rf"{name}: [^/]+\.", message)
    assert "hunter2" not in message


def test_a_wrong_choice_in_a_variable_names_the_key_and_the_choices(config: Config) -> None:
    message = config.mistake(GATEHOUSE_LOGS__LEVEL="hunter2")

    assert message == "logs.level: must be one of debug, info, warning, error."


def test_a_value_can_be_read_from_a_file(config: Config) -> None:
    (config.folder / "secret").write_text(f"{SECRET}\n")
    (config.folder / "port").write_text("9000\n")

    settings = config.load(
        GATEHOUSE_JWT__SECRET_FILE=str(config.folder / "secret"),
        GATEHOUSE_UVICORN__PORT_FILE=str(config.folder / "port"),
    )

    assert (settings[JwtSettings].secret, settings[UvicornSettings].port) == (SECRET, 9000)


def test_a_byte_order_mark_is_no_part_of_a_file(config: Config) -> None:
    """Editors of Windows write one."""
    (config.folder / "secret").write_text(f"\ufeff{SECRET}\r\n", encoding="utf-8")

    settings = config.load(
        "\ufeff[uvicorn]\r\nport = 9000\r\n", GATEHOUSE_JWT__SECRET_FILE=str(config.folder / "secret")
    )

    assert (settings[JwtSettings].secret, settings[UvicornSettings].port) == (SECRET, 9000)


@pytest.mark.parametrize("text", ["{0},{1}", "{0} {1}", " {0} ,\n{1},,\n"])
def test_a_list_in_the_environment_is_parted_by_commas_or_blanks(config: Config, text: str) -> None:
    old = [secret.replace(" ", "") for secret in (OLD_SECRET, OTHER_SECRET)]
    (config.folder / "secrets").write_text(text.format(*old))

    settings = config.load(
        GATEHOUSE_JWT__PREVIOUS_SECRETS_FILE=str(config.folder / "secrets"),
        GATEHOUSE_UVICORN__TRUSTED_PROXIES=text.format("10.0.0.0/8", "192.0.2.1"),
        GATEHOUSE_APP__HOSTS="",
    )

    assert settings[JwtSettings].previous_secrets == old
    assert settings[UvicornSettings].trusted_proxies == ["10.0.0.0/8", "192.0.2.1"]
    assert settings[AppSettings].hosts == []


@pytest.mark.parametrize("value", ["", SECRET])
def test_a_value_that_is_given_twice_is_a_mistake(config: Config, value: str) -> None:
    (config.folder / "secret").write_text(SECRET)

    message = config.mistake(GATEHOUSE_JWT__SECRET=value, GATEHOUSE_JWT__SECRET_FILE=str(config.folder / "secret"))

    assert message == "GATEHOUSE_JWT__SECRET_FILE: GATEHOUSE_JWT__SECRET is set, too; which of them counts?"


def test_a_file_overrides_what_config_toml_says(config: Config) -> None:
    (config.folder / "secret").write_text(SECRET)

    settings = config.load(
        f'[jwt]\nsecret = "{OTHER_SECRET}"', GATEHOUSE_JWT__SECRET_FILE=str(config.folder / "secret")
    )

    assert settings[JwtSettings].secret == SECRET


def test_a_file_that_is_no_text_is_a_mistake(config: Config) -> None:
    (config.folder / "secret").write_bytes(b"\xff" * 40)

    message = config.mistake(GATEHOUSE_JWT__SECRET_FILE=str(config.folder / "secret"))

    assert message == "GATEHOUSE_JWT__SECRET_FILE: the file it names cannot be read."


def test_a_relative_data_directory_lies_beside_config_toml(config: Config) -> None:
    settings = config.load(**PRODUCTION, GATEHOUSE_POSTGRES__DATA_DIR="somewhere/postgres")

    assert settings[PostgresSettings].data_dir == config.folder / "somewhere/postgres"


def test_missing_secrets_are_made_once_and_kept(config: Config) -> None:
    settings, later = config.load(), config.load()

    secret, pepper = settings[JwtSettings].secret, settings[PasswordSettings].pepper
    assert secret != pepper
    assert (later[JwtSettings].secret, later[PasswordSettings].pepper) == (secret, pepper)
    assert config.saved_secrets == {"jwt_secret": secret, "password_pepper": pepper}
    assert {path.stat().st_mode & 0o777 for path in (config.folder / "data").iterdir()} == {0o600}


def test_a_configured_secret_is_used_and_not_kept(config: Config) -> None:
    settings = config.load(GATEHOUSE_JWT__SECRET=SECRET)

    assert settings[JwtSettings].secret == SECRET
    assert set(config.saved_secrets) == {"password_pepper"}


@pytest.mark.parametrize(("environment", "secure", "docs"), [("development", False, True), ("test", True, True)])
def test_a_switch_that_is_not_set_has_the_value_of_its_environment(
    config: Config, environment: str, *, secure: bool, docs: bool
) -> None:
    settings = config.load(GATEHOUSE_APP__ENVIRONMENT=environment)

    assert (settings[CookieSettings].secure, settings[FeatureSettings].docs) == (secure, docs)


def test_production_has_secure_cookies_and_no_docs_unless_it_is_told_otherwise(config: Config) -> None:
    settings = config.load(**PRODUCTION)

    assert (settings[CookieSettings].secure, settings[FeatureSettings].docs) == (True, False)


def test_a_link_to_a_file_that_is_gone_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").symlink_to("/nowhere/config.toml")

    with pytest.raises(ConfigError, match=r"config\.toml: cannot be read\.$"):
        load_settings(environ={})


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    with pytest.raises(ConfigError, match="is gone"):
        load_settings(environ={})


def test_an_empty_name_of_the_file_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    settings = load_settings(environ={"GATEHOUSE_CONFIG": ""})

    assert (settings.file, settings.folder) == (None, tmp_path)


def test_the_file_that_was_read_is_known(config: Config) -> None:
    assert config.load().file == config.folder / "config.toml"
