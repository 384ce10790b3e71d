"""A model of the service: calls are applied one after the other to plain values."""

from dataclasses import dataclass, replace
from typing import Final

from gatehouse.accounts.domain.authorization import manages
from gatehouse.accounts.domain.role import Role

PEOPLE: Final = {
    "chief": Role.SUPER_ADMIN,
    "adams": Role.ADMIN,
    "bella": Role.ADMIN,
    "carol": Role.USER,
    "david": Role.USER,
}
CLIENTS: Final = {
    "chief1": "chief",
    "adam1": "adams",
    "adam2": "adams",
    "bella1": "bella",
    "carol1": "carol",
    "carol2": "carol",
}
"""Maps each browser to its user."""
AUDITED_ACTIONS: Final = {
    "grant": "grant_admin",
    "revoke": "revoke_admin",
    "inactivate": "inactivate_user",
    "reactivate": "reactivate_user",
}


@dataclass(frozen=True)
class Call:
    client: str
    action: str
    target: str = ""
    password: int = 0
    current: int = 0


@dataclass(frozen=True)
class Person:
    role: Role
    is_active: bool = True
    password: int = 0
    must_change: bool = False


@dataclass(frozen=True)
class ModelState:
    people: dict[str, Person]
    alive: frozenset[str] = frozenset()
    events: tuple[tuple[str, str, str], ...] = ()

    def apply(self, call: Call) -> tuple["ModelState", int]:
        """The state after the call, and the status of its answer."""
        name = CLIENTS[call.client]
        actor = self.people[name]
        if call.action == "login":
            return self._log_in(call, name)
        if call.client not in self.alive:
            return self, 401
        if call.action == "logout":
            return self._with("log_out", name, name, alive=self.alive - {call.client}), 204
        if call.action == "change_password":
            return self._change_password(call, name)
        if actor.must_change or not self._may(call, actor):
            return self, 403
        return self._change_user(call, name), 204

    def _may(self, call: Call, actor: Person) -> bool:
        above_admins = call.action not in ("grant", "revoke") or actor.role is Role.SUPER_ADMIN
        return above_admins and manages(actor.role, self.people[call.target].role)

    def _change_user(self, call: Call, name: str) -> "ModelState":
        target = self.people[call.target]
        changed = {
            "grant": replace(target, role=Role.ADMIN),
            "revoke": replace(target, role=Role.USER),
            "inactivate": replace(target, is_active=False),
            "reactivate": replace(target, is_active=True),
        }[call.action]
        if changed == target:
            return self
        ends = call.action in ("inactivate", "grant")
        alive = frozenset(client for client in self.alive if not ends or CLIENTS[client] != call.target)
        return self._with(AUDITED_ACTIONS[call.action], name, call.target, alive=alive, person=changed)

    def _log_in(self, call: Call, name: str) -> tuple["ModelState", int]:
        if call.client in self.alive:
            return self, 409
        person = self.people[name]
        if not person.is_active or person.password != call.password:
            return self, 401
        return self._with("log_in", name, name, alive=self.alive | {call.client}), 204

    def _change_password(self, call: Call, name: str) -> tuple["ModelState", int]:
        actor, target, is_own = self.people[name], self.people[call.target], call.target == name
        if not is_own and (actor.must_change or not manages(actor.role, target.role)):
            return self, 403
        if is_own and actor.password != call.current:
            return self, 401
        if is_own and call.password == call.current:
            return self, 422
        changed = replace(target, password=call.password, must_change=not is_own)
        alive = frozenset(client for client in self.alive if CLIENTS[client] != call.target or client == call.client)
        return self._with("change_password", name, call.target, alive=alive, person=changed), 204

    def _with(
        self, action: str, actor: str, target: str, *, alive: frozenset[str], person: Person | None = None
    ) -> "ModelState":
        people = self.people if person is None else {**self.people, target: person}
        return ModelState(people, alive, (*self.events, (action, actor, target)))


def start() -> ModelState:
    return ModelState({name: Person(role) for name, role in PEOPLE.items()})
