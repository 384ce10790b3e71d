"""What the tests of a module need: for Gatehouse's own modules, and for those of a service that is built on it.

A project's conftest.py says `pytest_plugins = ["gatehouse.testing.plugin"]`; docs/testing.md shows the rest. It needs
the extra `testing`. Nothing that serves imports it.
"""

import pytest

# Whatever asserts for a test says what it compared, as the test itself would.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{name}"
        for name in (
            *("accounts", "answers", "command_line", "fakes", "faults", "in_memory_app", "matrix", "migrations"),
            *("paging", "running_app"),
        )
    )
)
