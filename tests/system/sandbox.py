"""Runs a command as a unit of systemd would restrict it: sandbox.py CALL... -- COMMAND...

Only these system calls are allowed, others fail with EPERM; no memory becomes executable that was written to (on Linux
6.3 and later); no new privileges, no capabilities.
"""

import ctypes
import os
import sys
from typing import Final

_SET_NO_NEW_PRIVS: Final = 38
_SET_MDWE: Final = 65
_MDWE_REFUSE_EXEC_GAIN: Final = 1
_FAIL_WITH_EPERM: Final = 0x00050001
_ALLOW: Final = 0x7FFF0000


def main() -> None:
    separator = sys.argv.index("--")
    calls, command = sys.argv[1:separator], sys.argv[separator + 1 :]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SET_MDWE, ctypes.c_ulong(_MDWE_REFUSE_EXEC_GAIN), *[ctypes.c_ulong(0)] * 3)
    _ensure(libc.prctl(_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), *[ctypes.c_ulong(0)] * 3))
    _allow_only(calls)
    os.execvp(command[0], command)  # noqa: S606  # the test's own


def _allow_only(calls: list[str]) -> None:
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(_FAIL_WITH_EPERM)))
    for call in calls:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:  # else this processor has no such call
            _ensure(seccomp.seccomp_rule_add(rules, ctypes.c_uint32(_ALLOW), number, 0))
    _ensure(seccomp.seccomp_load(rules))


def _ensure(result: int) -> None:
    assert result == 0, os.strerror(-result)


if __name__ == "__main__":
    main()
