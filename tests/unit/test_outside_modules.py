"""What is wrong with a module from outside is one line when the settings are loaded, and says what to do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from gatehouse.common.application.ports import Clock
from gatehouse.common.modules import Module, Modules
from gatehouse.common.presentation.http import docs
from gatehouse.common.settings import ConfigError, Settings
from gatehouse.setup.app import create_app
from gatehouse.setup.check_modules import COMMANDS
from gatehouse.setup.check_routes import routes_of
from gatehouse.setup.cli import cli
from gatehouse.setup.container import create_container, ensure_complete
from gatehouse.setup.describe_settings import describe_settings
from gatehouse.setup.modules import MODULES, modules_of, with_modules
from tests.outside import importable, write_package
from tests.unit.configs import Config

type Load = Callable[..., Modules]

HEAD = """
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, TypeVar

import typer
from dishka import FromDishka, Provider, Scope
from fastapi import APIRouter
from sqlalchemy import Column, ForeignKey, MetaData, Table, Text, Uuid

from gatehouse.accounts import Identity, Users
from gatehouse.common.application.metrics import Counter, Gauge
from gatehouse.common.application.ports import Audit, Clock
from gatehouse.common.application.use_case import command, query
from gatehouse.common.domain.errors import ConflictError
from gatehouse.common.infrastructure.clock import SystemClock
from gatehouse.common.infrastructure.metadata import metadata
from gatehouse.common.modules import Module
from gatehouse.common.presentation.http.access import ANONYMOUS, AUTHENTICATED
from gatehouse.common.presentation.http.route import UseCaseRoute


class TakenError(ConflictError):
    slug = "taken"
    title = "Taken."


class Items(Protocol): ...


@command
class LendItem:
    action: ClassVar = "lend_item"
    items: Items

    async def __call__(self) -> None: ...


router = APIRouter(prefix="/api/v1/loans", route_class=UseCaseRoute)


@router.get("/", dependencies=[AUTHENTICATED])
async def list_loans() -> None: ...

"""


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Writes a package `acme.loans` and loads it, beside others that are named."""
    with importable(tmp_path):

        def load(module: str, *others: str, **files: str) -> Modules:
            write_package(tmp_path, module=HEAD + module, **files)
            return with_modules(["acme.loans", *others])

        yield load


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert line.startswith("app.modules: ")
    return line.removeprefix("app.modules: ")


def test_without_any_there_are_gatehouse_s_own() -> None:
    assert with_modules([]) is MODULES


def test_one_that_is_whole_is_there_with_all_that_it_brings(load: Load) -> None:
    modules = load("""
items = Table("items", metadata, Column("id", Uuid, primary_key=True), Column("name", Text, unique=True),
              Column("owner_id", Uuid, ForeignKey("users.id")))

@dataclass(frozen=True)
class LoanSettings:
    limit: int = 3

def register(cli, run):
    @cli.command()
    def lend(): ...

MODULE = Module(
    name="loans", commands=(LendItem,), routers=(router,), cli=(register,), tables={items: "SELECT, INSERT"},
    migrations="acme.loans:migrations", constraints={"uq_items_name": TakenError}, settings={"loans": LoanSettings},
)
""")

    assert [module.name for module in modules] == ["common", "accounts", "audit", "console", "loans"]
    assert modules.grants["items"] == "SELECT, INSERT"
    assert "lend_item" in modules.audited_actions
    assert [line.version_table for line in modules.migration_lines] == ["alembic_version", "alembic_version_loans"]


NOT_LOADED: Mapping[str, tuple[str, str]] = {
    "no MODULE": ("", "acme.loans: its module.py has no value MODULE."),
    "no Module": ("MODULE = 'loans'", "acme.loans: its MODULE is no gatehouse.common.modules.Module."),
    "an unknown field": (
        "MODULE = Module(name='loans', tabels={})",
        "module.py, line {last}: TypeError: Module.__init__() got an unexpected keyword argument 'tabels'.",
    ),
    "a package that is missing": (
        "import nowhere",
        "module.py, line {last}: ModuleNotFoundError: No module named 'nowhere'.",
    ),
    "a syntax error": ("def:", "module.py, line {last}: SyntaxError: invalid syntax."),
    "an end": ("raise SystemExit('enough')", "module.py, line {last}: SystemExit: enough."),
    "a command that is no tuple": (
        "MODULE = Module(name='loans', commands=(LendItem))",
        "acme.loans: `commands` of its MODULE must be a tuple of classes with @command or @command_in_steps.",
    ),
    "a command without its decorator": (
        "MODULE = Module(name='loans', commands=(Items,))",
        "acme.loans: `commands` of its MODULE must be a tuple of classes with @command or @command_in_steps.",
    ),
    "a name that is none": (
        "MODULE = Module(name='Loans')",
        "acme.loans: `name` of its MODULE must be a word of lower-case ASCII letters, digits and _, of at most",
    ),
    "a table that exists": (
        "users = Table('users', metadata, Column('id', Uuid, primary_key=True))",
        "module.py, line {last}: InvalidRequestError: Table 'users' is already defined for this MetaData instance.",
    ),
}


@pytest.mark.parametrize("mistake", NOT_LOADED)
def test_a_package_that_is_no_module_is_said_to_be_none(load: Load, mistake: str) -> None:
    module, expected = NOT_LOADED[mistake]

    assert expected.removesuffix(".").format(last=len((HEAD + module).splitlines())) in refusal(lambda: load(module))


@pytest.mark.parametrize("field", [field.name for field in fields(Module)])
def test_no_field_takes_what_is_of_another_type(load: Load, field: str) -> None:
    line = refusal(lambda: load(f"MODULE = Module(**{{'name': 'loans', '{field}': 0}})"))

    assert line.startswith(f"acme.loans: `{field}` of its MODULE must be ")


def test_a_package_that_is_not_there_is_named(load: Load) -> None:
    load("MODULE = Module(name='loans')")

    for missing in ("acme.reports", "nowhere"):
        expected = f"there is no package {missing}: install it, or correct the name."
        assert refusal(lambda missing=missing: with_modules([missing])) == expected  # type: ignore[misc]
    assert refusal(lambda: with_modules(["acme"])).startswith("acme has no module.py")
    for name in ("acme/loans", "acme..loans", "", ".acme", "https://acme.example"):
        assert "is no dotted name" in refusal(lambda name=name: with_modules([name]))  # type: ignore[misc]


NOT_TOGETHER: Mapping[str, tuple[str, str]] = {
    "the name of an own module": ("name='audit'", "the name audit belongs to gatehouse.audit; choose another one."),
    "the name of Gatehouse itself": (
        "name='gatehouse'",
        "the name gatehouse belongs to Gatehouse; choose another one.",
    ),
    "a metric that is named like Gatehouse's": (
        "name='loans', metrics=(Counter(name='gatehouse_loans_total', help=''),)",
        "the metric gatehouse_loans_total must begin with another word, such as the name of the module.",
    ),
    "a counter that is named like a gauge": (
        "name='loans', metrics=(Counter(name='loans_open', help=''),)",
        "the metric loans_open must end in _total if it is a Counter, and not if it is none.",
    ),
    "a gauge that is named like a counter": (
        "name='loans', metrics=(Gauge(name='loans_total', help=''),)",
        "the metric loans_total must end in _total if it is a Counter, and not if it is none.",
    ),
    "a metric with a name that Prometheus does not take": (
        "name='loans', metrics=(Gauge(name='open-loans', help=''),)",
        "the metric open-loans and its labels must be named by lower-case words, joined by single _.",
    ),
    "a label with a name that Prometheus does not take": (
        "name='loans', metrics=(Gauge(name='open_loans', help='', labels=('a kind',), series=(('a',),)),)",
        "the metric open_loans and its labels must be named by lower-case words, joined by single _.",
    ),
    "a metric without the values of its labels": (
        "name='loans', metrics=(Gauge(name='open_loans', help='', labels=('kind',)),)",
        "the metric open_loans must name in `series` the values of all its labels, for each series.",
    ),
    "a metric whose series are not known": (
        "name='loans', metrics=(Gauge(name='open_loans', help='', series=None),)",
        "the metric open_loans must name in `series` the values of all its labels, for each series.",
    ),
    "a metric twice": (
        "name='loans', metrics=(Gauge(name='open_loans', help=''), Gauge(name='open_loans', help=''))",
        "it has the metric open_loans twice.",
    ),
    "a route of another": (
        "name='loans', routers=(taken,)",
        "the route GET /api/v1/users/{} belongs to gatehouse.accounts; choose another one.",
    ),
    "a route before another": (
        "name='loans', routers=(shadow,)",
        "the route PATCH /api/v1/users/{what} would answer for /api/v1/users/inactivate of gatehouse.accounts; change ",
    ),
    "a route that takes a value from another's parameter": (
        "name='loans', routers=(overdue,)",
        "the route GET /api/v1/users/overdue would answer for /api/v1/users/{username} of gatehouse.accounts; change ",
    ),
    "a route behind another": (
        "name='loans', routers=(disordered,)",
        "the route GET /loans/overdue is never reached: /loans/{item} answers before it; let it come first.",
    ),
    "a route without access": (
        "name='loans', routers=(closed,)",
        "the route GET /closed does not say who may call it: give it exactly one of the markers in ",
    ),
    "a router in a router": (
        "name='loans', routers=(outer,)",
        "a router of it includes a _IncludedRouter: name each router of its own in `routers`.",
    ),
    "a router twice": ("name='loans', routers=(router, router)", "it has the route GET /api/v1/loans/ twice."),
    "an action of another": (
        "name='loans', commands=(GrantAdmin,)",
        "the audited action grant_admin belongs to gatehouse.accounts; choose another one.",
    ),
    "a command of Gatehouse": (
        "name='loans', cli=(lambda cli, run: cli.command('serve')(lambda: None),)",
        "the command serve belongs to Gatehouse; choose another one.",
    ),
    "a command of another": (
        "name='loans', cli=(lambda cli, run: cli.command('purge-sessions')(lambda: None),)",
        "the command purge-sessions belongs to gatehouse.accounts; choose another one.",
    ),
    "a command that fails": (
        "name='loans', cli=(lambda cli, run: cli.group(),)",
        "what it declares cannot be used: {file}: AttributeError: 'Typer' object has no attribute 'group'.",
    ),
    "a section of another": (
        "name='loans', settings={'jwt': LoanSettings}",
        "the section [jwt] belongs to gatehouse.accounts; choose another one.",
    ),
    "a section that no variable can name": (
        "name='loans', settings={'loans__': LoanSettings}",
        "the name of the section [loans__] must be lower-case words that are joined by single _.",
    ),
    "a setting without default": (
        "name='loans', settings={'loans': NoDefault}",
        "limit of the section [loans] has no default.",
    ),
    "tables without migrations": (
        "name='loans', tables={items: 'SELECT'}",
        'it has tables, so it needs `migrations`, the folder that makes them, such as "acme.loans:migrations".',
    ),
    "privileges that are none": (
        "name='loans', tables={items: 'SELECT, DROP'}, migrations=LINE",
        "the privileges on items must be some of DELETE, INSERT, SELECT, UPDATE.",
    ),
    "no privileges": (
        "name='loans', tables={items: ''}, migrations=LINE",
        "the privileges on items must be some of DELETE, INSERT, SELECT, UPDATE.",
    ),
    "a table without grants": (
        "name='loans'",
        "the table items of acme.loans.module is not in `tables` of its MODULE, with the privileges of the ",
    ),
    "a table of another": (
        "name='loans', tables={items: 'SELECT', metadata.tables['users']: 'DELETE'}, migrations=LINE",
        "the table users belongs to gatehouse.accounts; choose another one.",
    ),
    "a table of another metadata": (
        "name='loans', tables={items: 'SELECT', apart: 'SELECT'}, migrations=LINE",
        "the table apart is not in the `metadata` of gatehouse.common.infrastructure.metadata.",
    ),
    "a constraint of another": (
        "name='loans', tables={items: 'SELECT'}, migrations=LINE, constraints={'uq_users_username': TakenError}",
        "the constraint uq_users_username belongs to gatehouse.accounts; choose another one.",
    ),
    "a constraint that is none": (
        "name='loans', tables={items: 'SELECT'}, migrations=LINE, constraints={'uq_items_nmae': TakenError}",
        "uq_items_nmae, in its `constraints`, is the name of no unique or exclusion constraint of its tables.",
    ),
    "an adapter that replaces another unknowingly": (
        "name='loans', providers=(clock,)",
        "gatehouse.common provides Clock, too; to replace it, say override=True where it is provided.",
    ),
    "an adapter that replaces nothing": (
        "name='loans', providers=(nothing,)",
        "it provides Items with override=True, and no module before it provides that.",
    ),
    "a decorator of what another provides": (
        "name='loans', providers=(decorated,)",
        "it decorates Clock of gatehouse.common; to replace it, provide it with override=True.",
    ),
    "a decorator of whatever there is": (
        "name='loans', providers=(decorates_all,)",
        "it decorates Clock of gatehouse.common; to replace it, provide it with override=True.",
    ),
}
PARTS = """
from gatehouse.accounts.application.commands.grant_admin import GrantAdmin  # a test may

@dataclass(frozen=True)
class LoanSettings:
    limit: int = 3

@dataclass(frozen=True)
class NoDefault:
    limit: int

LINE = "acme.loans:migrations"
Whatever = TypeVar("Whatever")

def keep(whatever: Whatever) -> Whatever:
    return whatever

def slow(clock: Clock) -> Clock:
    return clock

taken = APIRouter(route_class=UseCaseRoute)
taken.get("/api/v1/users/{name}", dependencies=[AUTHENTICATED])(list_loans)
overdue = APIRouter(route_class=UseCaseRoute)
overdue.get("/api/v1/users/overdue", dependencies=[AUTHENTICATED])(list_loans)
disordered = APIRouter(route_class=UseCaseRoute)
disordered.get("/loans/{item}", dependencies=[AUTHENTICATED])(list_loans)
disordered.get("/loans/overdue", dependencies=[AUTHENTICATED])(list_loans)
shadow = APIRouter(route_class=UseCaseRoute)
shadow.patch("/api/v1/users/{what}", dependencies=[AUTHENTICATED])(list_loans)
closed = APIRouter(route_class=UseCaseRoute)
closed.get("/closed")(list_loans)
outer = APIRouter(route_class=UseCaseRoute)
outer.include_router(router)

clock = Provider(scope=Scope.APP)
clock.provide(SystemClock, provides=Clock)
nothing = Provider(scope=Scope.APP)
nothing.provide(object, provides=Items, override=True)
decorated = Provider(scope=Scope.APP)
decorated.decorate(slow)
decorates_all = Provider(scope=Scope.APP)
decorates_all.decorate(keep, provides=Whatever)
"""
TABLES = {
    "items": """
items = Table("items", metadata, Column("id", Uuid, primary_key=True), Column("name", Text, unique=True))
""",
    "apart": """
apart = Table("apart", MetaData(), Column("id", Uuid, primary_key=True))
""",
}


@pytest.mark.parametrize("mistake", NOT_TOGETHER)
def test_what_does_not_go_with_the_other_modules_is_named(load: Load, mistake: str) -> None:
    declared, expected = NOT_TOGETHER[mistake]
    tables = "".join(table for name, table in TABLES.items() if name in expected or name in declared)

    line = refusal(lambda: load(f"{PARTS}{tables}\nMODULE = Module({declared})"))

    head, _, tail = expected.partition("{file}")
    assert line.startswith(f"acme.loans: {head}")
    assert line.endswith(tail or ".")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("name='loans'", "the name loans belongs to acme.loans; choose another one."),
        (
            "name='other', routers=(router,)",
            "the route GET /api/v1/loans/ belongs to acme.loans; choose another one.",
        ),
        (
            "name='other', commands=(LendItem,)",
            "the audited action lend_item belongs to acme.loans; choose another one.",
        ),
    ],
)
def test_two_from_outside_do_not_bring_the_same(load: Load, tmp_path: Path, declared: str, expected: str) -> None:
    write_package(tmp_path, "acme.other", module=f"{HEAD}\nMODULE = Module({declared})")

    line = refusal(lambda: load("MODULE = Module(name='loans', commands=(LendItem,), routers=(router,))", "acme.other"))

    assert line == f"acme.other: {expected}"


def test_one_is_listed_once(load: Load) -> None:
    assert refusal(lambda: load("MODULE = Module(name='loans')", "acme.loans")) == "acme.loans is listed twice."


async def test_an_adapter_may_replace_gatehouse_s_own_and_says_so(load: Load) -> None:
    modules = load("""
class StoppedClock(SystemClock): ...

clock = Provider(scope=Scope.APP)
clock.provide(StoppedClock, provides=Clock, override=True)
MODULE = Module(name="loans", providers=(clock,))
""")
    container = create_container(Settings(), modules)

    assert type(await container.get(Clock)).__name__ == "StoppedClock"
    await container.close()


async def test_a_module_may_decorate_what_it_provides_itself(load: Load) -> None:
    modules = load("""
class Slip:
    words = "lent"

def shout(slip: Slip) -> Slip:
    slip.words = slip.words.upper()
    return slip

slips = Provider(scope=Scope.APP)
slips.provide(Slip)
slips.decorate(shout)
MODULE = Module(name="loans", providers=(slips,))
""")
    [*_, loans] = modules
    container = create_container(Settings(), modules)

    [key] = [factory.provides.type_hint for factory in loans.providers[0].factories]
    assert (await container.get(key)).words == "LENT"
    await container.close()


ASKS = """
lending = APIRouter(route_class=UseCaseRoute)

@lending.post("/lend", dependencies=[AUTHENTICATED])
async def lend_item(asked: FromDishka[{asked}]) -> None: ...

MODULE = Module(name="loans", routers=(lending,))
"""


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            "LendItem",
            "the route /lend asks for LendItem, which nothing provides: list it in `commands` or `queries`.",
        ),
        ("Items", "the route /lend asks for Items, which nothing provides."),
    ],
)
def test_what_a_route_asks_for_and_nothing_provides_is_named(
    load: Load, config: Config, asked: str, expected: str
) -> None:
    load(ASKS.format(asked=asked))
    settings = config.load('[app]\nmodules = ["acme.loans"]')

    assert refusal(lambda: ensure_complete(settings, modules_of(settings))) == expected


KEPT = {"/", "/api/v1/", "/livez", "/readyz", "/openapi.json", "/docs", "/docs/start.js"}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "path", [*sorted(KEPT), "/{anything}", "/{anything:path}", "/docs/{page}", "/docs/assets/{name}", "/api/{version}/"]
)
def test_the_paths_of_gatehouse_itself_are_kept_free(load: Load, method: str, path: str) -> None:
    line = refusal(
        lambda: load(f"""
taken = APIRouter(route_class=UseCaseRoute)
taken.{method}({path!r}, dependencies=[AUTHENTICATED])(list_loans)
MODULE = Module(name="loans", routers=(taken,))
""")
    )

    assert line.startswith(f"acme.loans: the route {method.upper()} {path} takes /")
    assert line.endswith(", which is Gatehouse's own; change its path.")


def test_what_the_application_serves_beside_the_modules_is_kept_free() -> None:
    served = {path for route in create_app(Settings()).routes if (path := getattr(route, "path", None))}

    of_modules = {route.path for module in MODULES for route in routes_of(module)}
    assert served - of_modules == {*docs.PATHS}
    assert KEPT - of_modules <= {*docs.PATHS}


def test_a_path_below_those_of_others_is_free(load: Load) -> None:
    modules = load("""
free = APIRouter(route_class=UseCaseRoute)
for path in ("/api/v1/users/{username}/loans", "/docs/loans", "/{item}/loans", "/loans/overdue", "/loans/{item}"):
    free.get(path, dependencies=[AUTHENTICATED])(list_loans)
free.post("/loans/{item}", dependencies=[AUTHENTICATED])(list_loans)
MODULE = Module(name="loans", routers=(free,))
""")

    assert len([*modules]) == len([*MODULES]) + 1


def test_a_port_that_nothing_provides_is_named(load: Load, config: Config) -> None:
    load("MODULE = Module(name='loans', commands=(LendItem,))")
    settings = config.load('[app]\nmodules = ["acme.loans"]')

    assert (
        refusal(lambda: ensure_complete(settings, modules_of(settings)))
        == "nothing provides Items, which LendItem needs."
    )


def test_a_check_of_settings_that_fails_is_one_line_without_a_value(load: Load, config: Config) -> None:
    load("MODULE = Module(name='loans', ensure_safe=lambda settings: int('hunter2'))")

    line = config.mistake('[app]\nmodules = ["acme.loans"]')

    assert line.startswith("app.modules: loans: its settings cannot be checked: ")
    assert line.endswith(": ValueError.")
    assert "hunter2" not in line


SECTION = """
@dataclass(frozen=True)
class LoanSettings:
    limit: int = 3
    codes: list[str] = ()

MODULE = Module(name="loans", settings={"loans": LoanSettings})
"""


def test_its_section_is_loaded_from_the_file_and_the_environment(load: Load, config: Config) -> None:
    [*_, loans] = load(SECTION)
    section = loans.settings["loans"]
    toml = '[app]\nmodules = ["acme.loans"]\n[loans]\nlimit = 5\n'

    assert config.load(toml)[section] == section(limit=5)
    assert config.load(toml, GATEHOUSE_LOANS__LIMIT="7")[section] == section(limit=7)
    assert config.load("", GATEHOUSE_APP__MODULES="acme.loans", GATEHOUSE_LOANS__LIMIT="7")[section] == section(limit=7)


def test_its_section_is_shown_with_the_others(load: Load, config: Config) -> None:
    load(SECTION)
    settings = config.load('[app]\nmodules = ["acme.loans"]')

    lines = [*describe_settings(settings, modules_of(settings).settings)]

    assert {"app.modules = acme.loans", "loans.limit = 3"} <= {*lines}


def test_the_environment_decides_which_modules_there_are(load: Load, config: Config, tmp_path: Path) -> None:
    load(SECTION)
    (tmp_path / "list").write_text("acme.loans\n")
    named = '[app]\nmodules = ["acme.nowhere"]\n'

    assert [*modules_of(config.load(named, GATEHOUSE_APP__MODULES=""))] == [*MODULES]
    for environ in ({"GATEHOUSE_APP__MODULES": "acme.loans"}, {"GATEHOUSE_APP__MODULES_FILE": str(tmp_path / "list")}):
        assert len([*modules_of(config.load(named, **environ))]) == len([*MODULES]) + 1


def test_a_mistake_in_its_section_names_the_key(load: Load, config: Config) -> None:
    load(SECTION)
    modules = '[app]\nmodules = ["acme.loans"]\n'

    assert config.mistake(f"{modules}[loans]\nlimit = 'x'") == "loans.limit: has the wrong type."
    assert config.mistake(f"{modules}[loans]\nlimits = 3") == "loans.limits: there is no such setting."
    assert config.mistake(modules, GATEHOUSE_LOANS__LIMIT="x") == "GATEHOUSE_LOANS__LIMIT: must be a whole number."
    assert config.mistake("[loans]\nlimit = 3") == "loans: there is no such setting."


@pytest.mark.parametrize("modules", ['"acme.loans"', "[1]", "{}", "true"])
def test_a_list_of_modules_that_is_none_is_said_to_be_none(config: Config, modules: str) -> None:
    expected = 'app.modules: must be a list of names, such as ["acme.loans"].'
    assert config.mistake(f"[app]\nmodules = {modules}") == expected


def test_the_names_of_gatehouse_s_own_commands_are_kept_free() -> None:
    of_modules = {
        *("create-super-admin", "revoke-super-admin", "purge-sessions"),
        *("set-password", "end-sessions", "unthrottle"),
        *("export-users", "import-users"),
    }
    commands = {command.name or command.callback.__name__ for command in cli.registered_commands if command.callback}
    groups = {str(group.name) for group in cli.registered_groups}

    assert {name.replace("_", "-") for name in commands | groups} - of_modules == set(COMMANDS)
