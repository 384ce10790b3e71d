"""Modules from outside use Gatehouse by its public names, each of which says what it is for."""

from pathlib import Path

import pytest

import gatehouse.accounts
from gatehouse.testing.private_imports import check_private_imports, private_imports
from tests.outside import importable, write_package

OWN = "is Gatehouse's own"


def test_the_sample_module_uses_public_names_alone() -> None:
    check_private_imports("tests.sample")


@pytest.mark.parametrize(
    ("statement", "mistake"),
    [
        ("import gatehouse.accounts", None),
        ("from gatehouse import accounts", None),
        ("from gatehouse.accounts import Role, lock_actor", None),
        ("from gatehouse.common.infrastructure.keyset import KeysetList", None),
        ("from gatehouse.migrations.concurrently import create_index", None),
        ("from . import gatehouse", None),
        ("import gatehouse.accounts.domain.role", f"gatehouse.accounts.domain.role {OWN}"),
        ("from gatehouse.accounts.domain.role import Role", f"gatehouse.accounts.domain.role.Role {OWN}"),
        ("from gatehouse.accounts import Role, domain", f"gatehouse.accounts.domain {OWN}"),
        ("from gatehouse.accounts import Throttle", f"gatehouse.accounts.Throttle {OWN}"),
        ("from gatehouse.audit.module import AUDIT", f"gatehouse.audit.module.AUDIT {OWN}"),
        ("from gatehouse.setup.app import create_app", f"gatehouse.setup.app.create_app {OWN}"),
        ("from gatehouse.common.infrastructure import database", f"gatehouse.common.infrastructure.database {OWN}"),
        ("from gatehouse.testing.server import TEMPLATE", f"gatehouse.testing.server.TEMPLATE {OWN}"),
        ("def f():\n    import gatehouse.setup", f"gatehouse.setup {OWN}"),
    ],
)
def test_an_import_of_what_is_private_is_named_with_its_place(
    tmp_path: Path, statement: str, mistake: str | None
) -> None:
    write_package(tmp_path, domain__loan=statement)
    with importable(tmp_path):
        found = private_imports("acme.loans")

    assert len(found) == (mistake is not None)
    if mistake:
        line = len(statement.splitlines())
        assert found[0].startswith(f"{tmp_path}/acme/loans/domain/loan.py:{line}: {mistake}")


def test_a_test_that_finds_some_fails_with_all_of_them(tmp_path: Path) -> None:
    write_package(tmp_path, one="import gatehouse.setup", two="import gatehouse.setup")

    with importable(tmp_path), pytest.raises(pytest.fail.Exception) as failure:
        check_private_imports("acme")

    assert len(str(failure.value).splitlines()) == 2


def test_a_package_that_is_not_there_is_no_package_without_mistakes() -> None:
    with pytest.raises(LookupError):
        private_imports("nowhere_at_all")


@pytest.mark.parametrize("name", gatehouse.accounts.__all__)
def test_a_public_name_says_what_it_is_for(name: str) -> None:
    value = getattr(gatehouse.accounts, name)

    if callable(value):
        # Dataclasses without a docstring describe themselves by their fields.
        assert value.__doc__
        assert not value.__doc__.startswith(f"{name}(")
    else:
        assert f"`{name}`" in str(gatehouse.accounts.__doc__)


@pytest.mark.parametrize(
    ("statement", "mistake"),
    [
        ("from acme.loans import Lend", None),
        ("import acme.loans", None),
        ("from acme.loans.domain.loan import Loan", "acme.loans.domain.loan.Loan is acme.loans's own"),
        ("import acme.loans.module", "acme.loans.module is acme.loans's own"),
        ("from acme.loans import domain", "acme.loans.domain is acme.loans's own"),
        ("from acme.notices.domain import note", None),
    ],
)
def test_of_another_module_only_what_its_init_imports_is_used(
    tmp_path: Path, statement: str, mistake: str | None
) -> None:
    write_package(tmp_path, domain__loan="")
    write_package(tmp_path, "acme.notices", domain__note="", application__read=statement)
    with importable(tmp_path):
        found = private_imports("acme")

    assert len(found) == (mistake is not None)
    if mistake:
        assert found[0].startswith(f"{tmp_path}/acme/notices/application/read.py:1: {mistake}")
