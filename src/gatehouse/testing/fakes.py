"""In-memory stand-ins that every module needs: a clock, a store that rolls back, and the values that tests agree on."""

from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from uuid import UUID

from dishka import AsyncContainer

from gatehouse.accounts.application.passwords import AttemptLimits
from gatehouse.accounts.application.ports import Users
from gatehouse.accounts.domain.role import Role
from gatehouse.accounts.domain.session import Session, SessionLifetime
from gatehouse.accounts.domain.user import User
from gatehouse.accounts.domain.username import Username
from gatehouse.common.application.metrics import Counter, Gauge, Histogram, Labels, Metric
from gatehouse.common.application.ports import Transaction
from gatehouse.common.domain.audit import Outcome, Subject
from gatehouse.common.domain.errors import TransactionConflictError
from gatehouse.common.domain.request_context import RequestContext
from gatehouse.common.modules import Modules

LIMITS = AttemptLimits(per_account=5, per_address=50, sign_ups=50)
PASSWORD = "violet kettle under thirteen maples"
CONTEXT = RequestContext(ip="192.0.2.1", user_agent="a browser", request_id="a-request")
LIFETIME = SessionLifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12), max_per_user=20)


def make_user(
    username: str = "alice",
    role: Role = Role.USER,
    now: datetime | None = None,
    *,
    is_active: bool = True,
    password_hash: str = f"hash of {PASSWORD}",
) -> User:
    """The one way to a user that a test begins with."""
    user = User.create(Username(username), role, password_hash, now or datetime.now(UTC))
    user.is_active = is_active
    return user


async def store_users(scope: AsyncContainer, *users: User) -> None:
    """Past every rule."""
    gateway = await scope.get(Users)
    async with await scope.get(Transaction):
        for user in users:
            await gateway.add(user)


@dataclass
class FakeClock:
    """Stands still until it is told otherwise."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


@dataclass(frozen=True)
class FakeEvent:
    """An audit event, less its time and place."""

    action: str
    actor: str | None
    target: str | None
    outcome: Outcome = Outcome.SUCCEEDED
    subject: Subject | None = None


@dataclass
class FakeStore:
    """What a database would hold. A further module keeps a dataclass of its own in `store[ItsState]`."""

    users: dict[UUID, User] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)
    events: list[FakeEvent] = field(default_factory=list)
    _states: dict[type, object] = field(default_factory=dict)

    def __getitem__[State](self, kind: type[State]) -> State:
        """Made empty when it is first asked for."""
        state = self._states.setdefault(kind, kind())
        assert isinstance(state, kind)
        return state

    def restore(self, other: "FakeStore") -> None:
        vars(self).update(vars(other))


class FakeTransaction:
    """Rolls the store back on an exception, and insists on being open when a gateway is used."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self._before: FakeStore | None = None
        self._conflicts = 0

    def lose_next(self, writes: int) -> None:
        """So many transactions that have changed something lose against a parallel one."""
        self._conflicts = writes

    async def __aenter__(self) -> None:
        assert self._before is None, "transactions do not nest"
        self._before = deepcopy(self._store)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._before is not None
        before, self._before = self._before, None
        loses = kind is None and self._conflicts > 0 and self._store != before
        if kind is not None or loses:
            self._store.restore(before)
        if loses:
            self._conflicts -= 1
            raise TransactionConflictError

    @property
    def is_open(self) -> bool:
        return self._before is not None

    @property
    def store(self) -> FakeStore:
        assert self._before is not None, "command gateways work inside a transaction only"
        return self._store


class FakeMetrics:
    """Remembers what is recorded; what is watched is read when a test asks for it."""

    def __init__(self) -> None:
        self._counted = defaultdict[tuple[Metric, Labels], float](float)
        self._observed = defaultdict[tuple[Metric, Labels], list[float]](list)
        self._watched: dict[tuple[Metric, Labels], Callable[[], float]] = {}

    def count(self, counter: Counter, *labels: str, by: float = 1) -> None:
        self._counted[_series(counter, labels)] += by

    def observe(self, histogram: Histogram, amount: float, *labels: str) -> None:
        self._observed[_series(histogram, labels)].append(amount)

    def watch(self, gauge: Gauge, read: Callable[[], float], *labels: str) -> None:
        self._watched[_series(gauge, labels)] = read

    def counted(self, counter: Counter, *labels: str) -> float:
        return self._counted[_series(counter, labels)]

    def observed(self, histogram: Histogram, *labels: str) -> list[float]:
        return self._observed[_series(histogram, labels)]

    def watched(self, gauge: Gauge, *labels: str) -> float:
        return self._watched[_series(gauge, labels)]()


def _series(metric: Metric, labels: Labels) -> tuple[Metric, Labels]:
    if metric.series is not None and labels not in metric.series:
        raise KeyError(labels)
    return metric, labels


@dataclass
class Memory:
    """What the fakes of all modules share."""

    clock: FakeClock
    store: FakeStore
    transaction: FakeTransaction
    """On that store: gateways of commands write through it, queries read the store itself."""
    modules: Modules
    """Those under test."""
