"""In-memory stand-ins for the statements that queries ask."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

from pydantic import TypeAdapter

from gatehouse.accounts.application.account import Account
from gatehouse.accounts.application.queries.export_users import ExportBlock
from gatehouse.accounts.application.queries.list_sessions import SessionList, SessionView
from gatehouse.accounts.application.queries.list_users import UserList, UserListRequest
from gatehouse.accounts.application.user_file import FileFormat
from gatehouse.accounts.domain.device import describe_device
from gatehouse.accounts.domain.user import User
from gatehouse.common.application.encoded_json import EncodedPage
from gatehouse.common.application.paging import SortingOrder
from gatehouse.testing.fakes import FakeClock, FakeStore


class FakeAccountById:
    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self, user_id: UUID) -> Account | None:
        return next((Account.of(user) for user in self._store.users.values() if user.id == user_id), None)


class FakeAccountByUsername:
    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self, username: str) -> Account | None:
        return next((Account.of(user) for user in self._store.users.values() if user.username.value == username), None)


_USER_LIST = TypeAdapter(UserList)


def read(page: EncodedPage[UserList]) -> UserList:
    """What the bytes say."""
    return _USER_LIST.validate_json(page)


_NEVER = datetime.min.replace(tzinfo=UTC)


def _last_login(user: User) -> datetime:
    return user.last_login_at or _NEVER


class FakeUserPages:
    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self, request: UserListRequest) -> EncodedPage[UserList]:
        accounts = [
            Account.of(user)
            for user in self._store.users.values()
            if request.role in (None, user.role) and request.is_active in (None, user.is_active)
            if user.username.value.startswith(request.search or "")
            if request.last_login_since is None or _last_login(user) >= request.last_login_since
            if request.last_login_before is None or _last_login(user) < request.last_login_before
        ]
        accounts.sort(
            key=lambda account: (
                _NEVER if (value := getattr(account, request.sorting_field)) is None else value,
                account.id,
            ),
            reverse=request.sorting_order is SortingOrder.DESC,
        )
        page = accounts[request.offset : request.offset + request.limit]
        total = len(accounts) if request.with_total else None
        text = _USER_LIST.dump_json(UserList(page, None, total)).decode()
        return EncodedPage.of(text, next_cursor=None, total=total)


class FakeUserExport:
    """A block for each account."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    async def __call__(self, form: FileFormat, *, with_hashes: bool) -> AsyncIterator[ExportBlock]:
        users = list(self._store.users.values())
        for place, user in enumerate(users, 1):
            secret = user.password_hash if with_hashes else ""
            yield ExportBlock(f"{form} {user.username} {secret}\n", 1, place / len(users))


class FakeSessionViews:
    def __init__(self, store: FakeStore, clock: FakeClock) -> None:
        self._store = store
        self._clock = clock

    async def __call__(self, user_id: UUID, *, current_id: UUID) -> SessionList:
        live = [
            session
            for session in self._store.sessions.values()
            if session.user_id == user_id and session.idle_expires_at > self._clock.now()
        ]
        live.sort(key=lambda session: (session.created_at, session.id), reverse=True)
        return SessionList(
            [
                SessionView(
                    id=session.id,
                    created_at=session.created_at,
                    last_seen_at=session.last_seen_at,
                    expires_at=session.expires_at,
                    ip=session.ip,
                    user_agent=session.user_agent,
                    device=describe_device(session.user_agent),
                    is_current=session.id == current_id,
                )
                for session in live
            ]
        )
