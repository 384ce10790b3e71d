"""The secrets of the containers, each a file of its own."""

import re
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from tests.root import ROOT


def make_secrets(folder: Path) -> dict[str, str]:
    subprocess.run([folder / "scripts/make_secrets.sh"], check=True, stdout=subprocess.DEVNULL)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_every_secret_of_compose_is_made_once_and_no_other_user_enters_their_folder(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/make_secrets.sh", tmp_path / "scripts")
    mounted = set(re.findall(r"file: \./secrets/(\w+)", (ROOT / "docker-compose.yaml").read_text()))

    secrets = make_secrets(tmp_path)

    assert set(secrets) == mounted
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    random = [secret for secret in secrets.values() if "://" not in secret]
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in random)
    assert len(set(random)) == len(random) == 4
    for url, password in (("postgres_url", "server_password"), ("postgres_owner_url", "postgres_password")):
        assert conninfo_to_dict(secrets[url])["password"] == secrets[password]
        assert conninfo_to_dict(secrets[url])["sslmode"] == "disable"  # on the network of compose alone

    (tmp_path / "secrets/jwt_secret").unlink()
    again = make_secrets(tmp_path)
    assert again.pop("jwt_secret") != secrets.pop("jwt_secret")
    assert again == secrets
