"""A stand-in for the base of the image: Debian's smallest root with the Python that runs the tests.

The base itself comes from a registry of images, which not every machine reaches. Like it, the stand-in has Python in
/usr/local, with pip, and nothing to compile with. Making it needs Debian, root, and Debian's packages.
"""

import platform
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"
_LEFT_OUT: Final = shutil.ignore_patterns(
    "__pycache__", "_tkinter*", "config-*", "dist-packages", "idlelib", "site-packages", "test"
)
_WITHOUT_DOCUMENTS: Final = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "info", "locale", "man")]
_OF_GLIBC: Final = re.compile(r"(ld-linux.*|lib(c|dl|m|pthread|resolv|rt|util))\.so\.\d+")


def make_stand_in(buildah: Callable[..., str], name: str) -> None:
    container = buildah("from", "scratch")
    root = Path(buildah("mount", container))
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    options = ["--quiet", "--variant=minbase", "--include=ca-certificates,netbase,tzdata", *_WITHOUT_DOCUMENTS]
    subprocess.run(["mmdebstrap", *options, release, root], check=True)
    _add_python(root / "usr/local")
    subprocess.run(["chroot", root, "ldconfig"], check=True)
    pip = ["/usr/local/bin/python", "-m", "ensurepip", "--default-pip"]
    subprocess.run(["chroot", root, *pip], check=True, capture_output=True)
    # The build trusts whom this machine trusts, which may be more than Debian does.
    shutil.copy(ssl.get_default_verify_paths().cafile or CERTIFICATES, root / CERTIFICATES.lstrip("/"))
    variables = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin", "SSL_CERT_FILE": CERTIFICATES, "PIP_CERT": CERTIFICATES}
    for variable, value in variables.items():
        buildah("config", "--env", f"{variable}={value}", container)
    buildah("commit", "--quiet", container, name)
    buildah("rm", container)


def _add_python(prefix: Path) -> None:
    standard_library = Path(sysconfig.get_path("stdlib"))
    copied = prefix / "lib" / standard_library.name
    shutil.copytree(standard_library, copied, ignore=_LEFT_OUT, ignore_dangling_symlinks=True)
    python = Path(shutil.copy(Path(sys.executable).resolve(), prefix / "bin" / standard_library.name))
    for name in ("python", "python3"):
        (prefix / "bin" / name).symlink_to(standard_library.name)
    for library in sorted({found for file in (python, *copied.rglob("*.so")) for found in _libraries_of(file)}):
        shutil.copy(library, prefix / "lib")


def _libraries_of(program: Path) -> Iterator[Path]:
    """Those that it needs beside glibc, which the root has already."""
    output = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for name, path in re.findall(r"(\S+) => (/\S+)", output):
        if not _OF_GLIBC.fullmatch(name):
            yield Path(path)
