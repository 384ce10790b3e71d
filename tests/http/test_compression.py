"""Compressed answers."""

import gzip
import hashlib
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp

from gatehouse.accounts.domain.role import Role
from gatehouse.common.infrastructure.database import Database
from gatehouse.common.presentation.http.middleware.compression import CompressionMiddleware, accepts_gzip
from gatehouse.common.settings import HttpSettings, Settings
from gatehouse.testing.run_app import run_app
from gatehouse.testing.running_app import RunningApp
from tests.http.served_app import request, serve_app

USERS = "/api/v1/users/"
NOISE = hashlib.shake_128(b"").digest(2000)
"""Which gzip makes no shorter."""
TEXT = b'{"a": "' + b"a" * 2000 + b'"}'


@pytest.fixture
async def packing_app(settings: Settings, database: Database) -> AsyncIterator[RunningApp]:
    """On an empty database."""
    assert isinstance(database, Database)
    async with run_app(settings.replace(HttpSettings(compression=500))) as running:
        yield running


async def answer_of(app: ASGIApp, coding: str = "gzip", *, min_bytes: int = 500) -> httpx.Response:
    transport = httpx.ASGITransport(CompressionMiddleware(app, min_bytes))
    async with httpx.AsyncClient(transport=transport, base_url="https://gatehouse.test") as client:
        return await client.get("/", headers={"accept-encoding": coding})


async def test_a_long_list_is_packed_for_who_takes_it(packing_app: RunningApp) -> None:
    admin = await packing_app.logged_in("admin", Role.ADMIN)
    await packing_app.add_users([(f"user-{number}", Role.USER, True) for number in range(20)])

    packed = await admin.get(USERS, headers={"accept-encoding": "gzip, br"})
    plain = await admin.get(USERS, headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["link"] == plain.headers["link"]
    assert packed.headers["cache-control"] == "no-store"


async def test_a_short_answer_is_not(packing_app: RunningApp) -> None:
    answer = await (await packing_app.client()).get("/livez", headers={"accept-encoding": "gzip"})

    assert not {"content-encoding", "vary"} & answer.headers.keys()


async def test_by_default_none_is(app: RunningApp) -> None:
    answer = await (await app.client()).get("/openapi.json", headers={"accept-encoding": "gzip"})

    assert not {"content-encoding", "vary"} & answer.headers.keys()


def test_a_packed_answer_arrives_whole_on_the_wire(settings: Settings) -> None:
    """Behind the connection that joins head and body."""
    with serve_app(settings.replace(HttpSettings(compression=100))) as served:
        [plain] = served.answers_to(request("GET /openapi.json", "Connection: close"))
        [packed] = served.answers_to(request("GET /docs", "Accept-Encoding: gzip", "Connection: close"))

    assert len(plain.content) == int(plain.headers["content-length"])
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    "response",
    [
        Response(TEXT, headers={"ETag": '"7"'}, media_type="application/json"),
        Response(gzip.compress(NOISE), headers={"Content-Encoding": "gzip"}, media_type="application/json"),
        Response(TEXT, media_type="image/png"),
        Response(TEXT, media_type="application/octet-stream"),
        Response(TEXT),
        Response(TEXT[:499], media_type="application/json"),
        Response(TEXT * 200, media_type="application/json"),
        StreamingResponse(iter([TEXT, TEXT]), media_type="application/json"),
        Response(status_code=204),
    ],
    ids=["etag", "packed", "image", "bytes", "untyped", "short", "huge", "streamed", "empty"],
)
async def test_what_must_stay_as_it_is_does(response: Response) -> None:
    headers = [*response.raw_headers]

    answer = await answer_of(response)

    assert answer.headers.raw == [(name, value) for name, value in headers]


@pytest.mark.parametrize("media_type", ["application/json", "application/problem+json", "text/css", "text/javascript"])
async def test_text_is_packed_whatever_it_is(media_type: str) -> None:
    answer = await answer_of(Response(TEXT, media_type=media_type))

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == TEXT


async def test_a_stream_arrives_piece_by_piece() -> None:
    answer = await answer_of(StreamingResponse(iter([TEXT, TEXT]), media_type="application/x-ndjson"))

    assert answer.content == TEXT + TEXT


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip ; q=0 , *", False),
        ("*;q=0", False),
        ("identity", False),
        ("br", False),
        ("gzipped", False),
        ("gzip;q=high", False),
        (";;,,", False),
    ],
)
def test_a_client_says_what_it_takes(accepted: str, *, takes: bool) -> None:
    assert accepts_gzip(accepted) is takes


def test_a_long_row_of_spaces_is_told_at_once() -> None:
    began = time.process_time()

    assert not accepts_gzip("gzip" + " \t" * 15_000 + "!")
    assert not accepts_gzip("gzip" + " " * 15_000 + ";" + " " * 15_000 + "!")

    assert time.process_time() - began < 1, "instead of ten seconds"
