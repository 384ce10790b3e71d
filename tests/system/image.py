"""The image: built by buildah, and run as a container engine would, without one.

`buildah run` offers no read-only root and kills what it runs instead of handing SIGTERM on. So the program that the
image names is started by `unshare`, `chroot` and `setpriv`: as the first process of its own, with the image's user,
folder and variables, on a root that is read-only but for /tmp, and without any capability.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.root import ROOT
from tests.system.service import SECRETS
from tests.system.stand_in import make_stand_in

_START: Final = """
root=$1 secrets=$2 user=$3 folder=$4
shift 4
mount --bind "$root" "$root"
mount -o remount,ro,bind "$root"
mount -t tmpfs tmpfs "$root/run/secrets"
for secret in $secrets; do
    touch "$root/run/secrets/${secret##*/}"
    mount --bind "$secret" "$root/run/secrets/${secret##*/}"
done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --bounding-set=-all \
    --no-new-privs env --ignore-environment --chdir="$folder" "$@"
"""


@dataclass(frozen=True)
class Image:
    root: Path
    config: Mapping[str, Any]
    """As the specification of images has it: User, Env, Cmd, Labels, Healthcheck, …"""

    def command_line(
        self, command: Sequence[str], environ: Mapping[str, str], secrets: Sequence[Path] = ()
    ) -> list[str | Path]:
        """Runs it in a container. The process that this starts is the container's parent: see `first_process`."""
        files = " ".join(map(str, secrets))
        variables = [*self.config["Env"], *(f"{name}={value}" for name, value in environ.items())]
        first = ["sh", "-euc", _START, "start", self.root, files, self.config["User"], self.config["WorkingDir"]]
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", *first, *variables, *command]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Without any variable or secret."""
        command_line = self.command_line(command or self.config["Cmd"], {})
        return subprocess.run(command_line, capture_output=True, text=True, timeout=60, check=False)


def first_process(container: int) -> int:
    """Which gets the signals of whoever stops the container."""
    return int(Path(f"/proc/{container}/task/{container}/children").read_text())


@contextmanager
def built_image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="gatehouse-image-") as folder:
        store = ["buildah", "--root", f"{folder}/root", "--runroot", f"{folder}/run", "--storage-driver", "vfs"]

        def buildah(*arguments: str | Path) -> str:
            result = subprocess.run([*store, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
            assert result.returncode == 0, result.stdout + result.stderr
            return result.stdout.strip()

        [base] = set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
        make_stand_in(buildah, base)
        buildah("bud", "--isolation", "chroot", "--pull-never", "--format", "docker", "--tag", "gatehouse", ROOT)
        config = json.loads(buildah("inspect", "--type", "image", "gatehouse"))["Docker"]["config"]
        root = Path(buildah("mount", buildah("from", "--pull-never", "gatehouse")))
        (root / SECRETS.lstrip("/")).mkdir(parents=True)
        yield Image(root, config)
