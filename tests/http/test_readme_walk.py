"""README.md, "A walk through it": each of its commands does what it says."""

import re
import shlex
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPMethod
from pathlib import Path

import httpx

from gatehouse.accounts.domain.role import Role
from gatehouse.testing.running_app import RunningApp

README = Path(__file__).parents[2] / "README.md"
STATUS = re.compile(r"# (\d{3})\b")
SERVER = "http://127.0.0.1:8000"

type Command = tuple[list[str], int | None]
"""Its words, and the status that it is said to be answered with."""

curl = ArgumentParser("curl")
curl.add_argument("-i", action="store_true")
curl.add_argument("-b", dest="cookies_from")
curl.add_argument("-c", dest="cookies_to")
curl.add_argument("-X", dest="method")
curl.add_argument("-H", dest="header")
curl.add_argument("-d", dest="body")
curl.add_argument("url")


def walk() -> Iterator[Command]:
    block = README.read_text().partition("## A walk through it")[2].partition("```sh\n")[2].partition("```")[0]
    variables: dict[str, str] = {}
    command = ""
    for line in block.splitlines(keepends=True):
        if line.startswith("#"):
            continue
        command = command.removesuffix("\\\n") + line
        if line.endswith("\\\n") or command.partition(" #")[0].count("'") % 2:
            continue
        status = STATUS.search(command)
        words = shlex.split(command, comments=True)
        for name, value in variables.items():
            words = [word.replace(f"${name}", value) for word in words]
        match words:
            case [word] if "=" in word:
                name, _, variables[name] = word.partition("=")
            case [_, *_]:
                yield words, int(status[1]) if status else None
        command = ""


async def test_every_command_of_the_walk_works(app: RunningApp) -> None:
    cookies: defaultdict[str | None, httpx.Cookies] = defaultdict(httpx.Cookies)
    statuses = []
    for words, status in walk():
        match words:
            case ["echo", password, "|", ".venv/bin/gatehouse", "create-super-admin", username, "--password-stdin"]:
                await app.add_user(username, Role.SUPER_ADMIN, password=password)
            case ["curl", *arguments]:
                options = curl.parse_args(arguments)
                client = await app.client()
                client.cookies = cookies[options.cookies_from]
                answer = await client.request(
                    options.method or (HTTPMethod.POST if options.body else HTTPMethod.GET),
                    options.url.removeprefix(SERVER),
                    content=options.body,
                    headers=[tuple(options.header.split(": "))] if options.header else [],
                )
                if options.cookies_to:
                    cookies[options.cookies_to] = client.cookies
                assert answer.status_code == status or (status is None and answer.is_success), (words, answer.text)
                statuses.append(status)
            case _:
                raise AssertionError(f"this test cannot run {words}")

    assert statuses.count(None) > 10
    assert [status for status in statuses if status] == [403, 401, 401]
