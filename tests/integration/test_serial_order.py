"""Parallel calls over HTTP have the same outcome as the same calls in some serial order."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import count, permutations
from typing import Any

import httpx
import psycopg
import pytest
from dishka import Provider, Scope
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from uuid6 import uuid7

from gatehouse.accounts.application.ports import PasswordHasher, PasswordStrength
from gatehouse.common.settings import Settings
from gatehouse.setup.app import create_app
from gatehouse.testing.accounts.fakes import FakePasswordHasher, FakePasswordStrength
from gatehouse.testing.running_app import ORIGIN
from tests.integration.conftest import empty
from tests.integration.serial_model import CLIENTS, PEOPLE, Call, ModelState, start

pytestmark = pytest.mark.slow

ACTIONS = ("grant", "revoke", "inactivate", "reactivate")
CALLS = st.one_of(
    st.builds(Call, st.sampled_from(sorted(CLIENTS)), st.sampled_from(ACTIONS), st.sampled_from(sorted(PEOPLE))),
    st.builds(
        Call,
        st.sampled_from(sorted(CLIENTS)),
        st.just("change_password"),
        st.sampled_from(sorted(PEOPLE)),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    st.builds(
        Call,
        st.sampled_from(sorted(CLIENTS)),
        st.just("login"),
        st.just(""),
        st.integers(0, 2),
    ),
    st.builds(Call, st.sampled_from(sorted(CLIENTS)), st.just("logout")),
)


class SaltedPasswordHasher(FakePasswordHasher):
    """The same password never has the same hash twice, as with a real one."""

    def __init__(self) -> None:
        super().__init__()
        self._salts = count()

    async def hash(self, password: str, *, client: str) -> str:
        return f"{await super().hash(password, client=client)}#{next(self._salts)}"

    async def verify(self, password: str, password_hash: str | None, *, client: str) -> bool:
        return await super().verify(password, password_hash and password_hash.partition("#")[0], client=client)


def password(number: int) -> str:
    return f"a password that is long enough, number {number}"


@dataclass
class Service:
    """The application on an event loop of its own, since a state machine is synchronous."""

    runner: asyncio.Runner
    settings: Settings
    url: str
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def open(self) -> None:
        parts = Provider(scope=Scope.APP)
        parts.provide(SaltedPasswordHasher, provides=PasswordHasher)
        parts.provide(FakePasswordStrength, provides=PasswordStrength)
        app = create_app(self.settings, parts)
        await self.stack.enter_async_context(app.router.lifespan_context(app))
        for name in CLIENTS:
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)
            self.clients[name] = await self.stack.enter_async_context(client)

    def start_anew(self) -> None:
        empty(self.url)
        for client in self.clients.values():
            client.cookies.clear()
        with psycopg.connect(self.url) as owner:
            for name, role in PEOPLE.items():
                owner.execute(
                    "INSERT INTO users VALUES (%s, %s, %s, true, %s, now(), now(), false)",
                    [uuid7(), name, role.value, f"hash of {password(0)}"],
                )

    def call(self, *calls: Call) -> list[int]:
        async def all_at_once() -> list[int]:
            return list(await asyncio.gather(*(self._send(call) for call in calls)))

        return self.runner.run(all_at_once())

    async def _send(self, call: Call) -> int:
        client = self.clients[call.client]
        match call.action:
            case "login":
                body = {"username": CLIENTS[call.client], "password": password(call.password)}
                answer = await client.post("/api/v1/account/login", json=body)
            case "logout":
                answer = await client.delete("/api/v1/account/logout")
            case "change_password":
                body = {"username": call.target, "password": password(call.password)}
                current = {"current_password": password(call.current)}
                answer = await client.patch("/api/v1/users/change_password", json={**body, **current})
            case action:
                answer = await client.patch(f"/api/v1/users/{action}", json={"username": call.target})
        return answer.status_code

    def read_state(self) -> tuple[dict[str, tuple[Any, ...]], Counter[str], Counter[tuple[Any, ...]]]:
        """Users, how many sessions each has, and the audit events."""
        with psycopg.connect(self.url) as owner:
            people = owner.execute("SELECT username, role, is_active, must_change_password, password_hash FROM users")
            sessions = owner.execute("SELECT username FROM sessions JOIN users ON users.id = user_id")
            events = owner.execute("SELECT action, actor, target FROM audit_events WHERE outcome = 'succeeded'")
            return (
                {name: (*state, secret.partition("#")[0]) for name, *state, secret in people},
                Counter(name for (name,) in sessions),
                Counter(events),
            )


def as_stored(state: ModelState) -> tuple[dict[str, tuple[Any, ...]], Counter[str], Counter[tuple[Any, ...]]]:
    people = {
        name: (person.role.value, person.is_active, person.must_change, f"hash of {password(person.password)}")
        for name, person in state.people.items()
    }
    return people, Counter(CLIENTS[client] for client in state.alive), Counter(state.events)


class Machine(RuleBasedStateMachine):
    service: Service

    def __init__(self) -> None:
        super().__init__()
        self.service.start_anew()
        self.state = start()
        for client in sorted(CLIENTS):
            self._do(Call(client, "login"))

    @rule(call=CALLS)
    def one_call(self, call: Call) -> None:
        self._do(call)

    @rule(calls=st.lists(CALLS, min_size=2, max_size=3, unique_by=lambda call: call.client))
    def calls_at_once(self, calls: list[Call]) -> None:
        self._do(*calls)

    @rule(pair=st.permutations(["chief1", "adam1", "bella1"]), action=st.sampled_from(ACTIONS))
    def acts_on_each_other(self, pair: list[str], action: str) -> None:
        first, second, third = pair
        self._do(
            Call(first, action, CLIENTS[second]),
            Call(second, "inactivate", CLIENTS[first]),
            Call(third, action, "carol"),
        )

    @invariant()
    def nobody_inactive_has_a_session_and_a_super_admin_is_left(self) -> None:
        people, sessions, _ = self.service.read_state()
        inactive = {name for name, (_, is_active, *_) in people.items() if not is_active}
        assert not inactive & set(sessions)
        assert ("super_admin", True) in {(role, is_active) for role, is_active, *_ in people.values()}

    def _do(self, *calls: Call) -> None:
        statuses = self.service.call(*calls)
        stored = self.service.read_state()
        answers = dict(zip(calls, statuses, strict=True))
        for order in permutations(calls):
            state, as_modelled = self.state, []
            for call in order:
                state, status = state.apply(call)
                as_modelled.append(status)
            if as_modelled == [answers[call] for call in order] and as_stored(state) == stored:
                self.state = replace(state)
                return
        raise AssertionError(f"in no order of {answers} from {as_stored(self.state)} comes {stored}")


@pytest.fixture
def service(own_settings: Settings, own_url: str) -> Iterator[Service]:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        service = Service(runner, own_settings, own_url)
        runner.run(service.open())
        yield service
        runner.run(_close(service.stack.aclose))


async def _close(close: Callable[[], Awaitable[None]]) -> None:
    await close()


@pytest.mark.promise("Z7")
def test_parallel_calls_have_the_outcome_of_some_serial_order(service: Service) -> None:
    Machine.service = service
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=15,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
