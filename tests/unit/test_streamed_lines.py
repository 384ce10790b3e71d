"""An answer of any length, as the server's interface (ASGI) sees it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from starlette.types import Message

from gatehouse.common.domain.errors import UnavailableError
from gatehouse.common.presentation.http.streamed_lines import StreamedLines


@dataclass
class Client:
    """Takes what it is sent, until it goes or stops."""

    messages: list[Message] = field(default_factory=list)
    has_gone: asyncio.Event = field(default_factory=asyncio.Event)
    was_sent: asyncio.Event = field(default_factory=asyncio.Event)
    reads: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        await self.has_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        if message["type"] == "http.response.body" and message["more_body"]:
            self.was_sent.set()
            await self.reads.wait()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def is_complete(self) -> bool:
        return self.messages[-1].get("more_body") is False


@dataclass
class Batches:
    fails_at: int = 4
    asked: int = 0

    async def __call__(self) -> AsyncIterator[bytes]:
        for number in range(1, 4):
            self.asked = number
            await turn()  # as a call to the database takes some
            if number == self.fails_at:
                raise UnavailableError
            yield b"%d\n" % number


async def turn() -> None:
    """Lets all else go on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def stream(batches: Batches, client: Client) -> None:
    await StreamedLines(batches())({"type": "http"}, client.receive, client.send)


async def test_all_batches_come_one_after_the_other_and_then_the_end() -> None:
    client = Client()
    client.reads.set()

    await stream(Batches(), client)

    assert (client.body, client.is_complete) == (b"1\n2\n3\n", True)
    headers = dict(client.messages[0]["headers"])
    assert headers[b"content-type"] == b"application/x-ndjson"
    assert b"content-length" not in headers


async def test_what_fails_in_the_middle_leaves_the_answer_without_its_end() -> None:
    client = Client()
    client.reads.set()

    await stream(Batches(fails_at=3), client)

    assert (client.body, client.is_complete) == (b"1\n2\n", False)


async def test_the_next_batch_is_not_asked_for_while_the_client_does_not_read() -> None:
    client, batches = Client(), Batches()
    streaming = asyncio.create_task(stream(batches, client))
    await client.was_sent.wait()
    await turn()
    assert batches.asked == 1

    client.reads.set()
    await streaming
    assert client.is_complete


@pytest.mark.parametrize("was_reading", [True, False])
async def test_for_a_client_that_has_gone_no_further_batch_is_asked_for(*, was_reading: bool) -> None:
    client, batches = Client(), Batches()
    if was_reading:
        client.reads.set()
    client.has_gone.set()
    streaming = asyncio.create_task(stream(batches, client))
    await client.was_sent.wait()
    client.reads.set()  # a server lets go of whoever waits for a client that has gone

    await streaming

    assert batches.asked <= 2
    assert not client.is_complete
