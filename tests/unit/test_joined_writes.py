import asyncio
from asyncio import Transport
from dataclasses import dataclass, field

import pytest

from gatehouse.common.presentation.http.joined_writes import JoinedWrites


@dataclass
class FakeTransport(Transport):
    calls: list[str | bytes] = field(default_factory=list)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.calls.append(bytes(data))

    def write_eof(self) -> None:
        self.calls.append("end")

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


@pytest.fixture
def transport() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
async def writes(transport: FakeTransport) -> JoinedWrites:
    return JoinedWrites(transport, asyncio.get_running_loop())


async def test_two_writes_at_once_are_one(writes: JoinedWrites, transport: FakeTransport) -> None:
    writes.write(b"head")
    writes.write(b"body")

    assert transport.calls == [b"headbody"]


async def test_a_write_that_none_follows_goes_out_on_its_own(writes: JoinedWrites, transport: FakeTransport) -> None:
    writes.write(b"head")
    await asyncio.sleep(0)

    assert transport.calls == [b"head"]


async def test_nothing_is_written_twice_or_out_of_order(writes: JoinedWrites, transport: FakeTransport) -> None:
    for data in (b"1", b"2", b"3", b"4", b"5"):
        writes.write(data)
    await asyncio.sleep(0)

    assert b"".join(call for call in transport.calls if isinstance(call, bytes)) == b"12345"


async def test_what_is_held_back_comes_before_the_end(writes: JoinedWrites, transport: FakeTransport) -> None:
    writes.write(b"head")
    writes.write_eof()
    writes.write(b"more")
    writes.close()

    assert transport.calls == [b"head", "end", b"more", "close"]


async def test_an_aborted_connection_writes_no_more(writes: JoinedWrites, transport: FakeTransport) -> None:
    writes.write(b"head")
    writes.abort()
    await asyncio.sleep(0)

    assert transport.calls == ["abort"]
