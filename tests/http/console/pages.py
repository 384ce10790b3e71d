"""A page as a browser reads it: its elements, links and forms."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

import httpx

CONSOLE: Final = "/console/"
LOG_IN: Final = "/console/log-in"
ACCOUNT: Final = "/console/account"
OWN_PASSWORD: Final = "/console/password"
USERS: Final = "/console/users"
AUDIT: Final = "/console/audit"
MANY: Final = "/console/users/many"
_VOID: Final = frozenset({"meta", "link", "input", "br", "hr", "img", "path", "circle", "rect"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: "Element | None"
    pieces: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")

    @property
    def text(self) -> str:
        """All that stands in it, with single spaces."""
        return " ".join("".join(self.pieces).split())

    def is_in(self, tag: str) -> bool:
        element = self.parent
        while element is not None and element.tag != tag:
            element = element.parent
        return element is not None


@dataclass
class PageForm:
    method: str
    action: str
    fields: list[tuple[str, str]]
    """What is sent if nobody fills anything in and presses a button that has no name."""

    def fields_with(self, **values: str) -> dict[str, list[str]]:
        fields: dict[str, list[str]] = {}
        for name, value in self.fields:
            fields.setdefault(name, []).append(value)
        return {**fields, **{name: [value] for name, value in values.items()}}


class Page(HTMLParser):
    def __init__(self, answer: httpx.Response) -> None:
        assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.headers
        super().__init__()
        self.status = answer.status_code
        self.elements: list[Element] = []
        self.declaration = ""
        self._open: list[Element] = []
        self.feed(answer.text)
        self.close()
        assert not self._open, f"not closed: {self._open[-1].tag}"
        self.text = next(self.of("body")).text

    def handle_decl(self, decl: str) -> None:
        self.declaration = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice: {tag} {names}"
        values = {name: value or "" for name, value in attrs}
        element = Element(tag, values, self._open[-1] if self._open else None)
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"closed, but not open: {tag}"
        assert self._open[-1].tag == tag, f"{tag} closes {self._open[-1].tag}"
        self._open.pop()
        if tag in ("td", "th"):  # a browser shows a space between cells
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.pieces.append(data)

    def of(self, *tags: str) -> Iterator[Element]:
        return (element for element in self.elements if element.tag in tags)

    def with_id(self, name: str) -> Element | None:
        return next((element for element in self.elements if element["id"] == name), None)

    @property
    def heading(self) -> str:
        [heading] = self.of("h1")
        return heading.text

    @property
    def links(self) -> list[str]:
        return [link["href"] for link in self.of("a")]

    @property
    def request_id(self) -> str:
        """As an error page tells it."""
        [code] = self.of("code")
        return code.text

    def rows(self) -> list[str]:
        """Those of the tables' bodies."""
        return [row.text for row in self.of("tr") if row.is_in("tbody")]

    def form(self, action: str) -> PageForm:
        [form] = [form for form in self.forms() if form.action == action]
        return form

    def forms(self) -> list[PageForm]:
        return [
            PageForm(form["method"].lower() or "get", form["action"], [*self._fields_of(form)])
            for form in self.of("form")
        ]

    def _fields_of(self, form: Element) -> Iterator[tuple[str, str]]:
        for control in self.of("input", "select"):
            owner = control["form"] or form["id"] if control["form"] == form["id"] and form["id"] else None
            if not control["name"] or not (owner or (not control["form"] and _is_within(control, form))):
                continue
            if control["type"] in ("checkbox", "radio") and "checked" not in control.attributes:
                continue
            yield control["name"], self._value_of(control)

    def _value_of(self, control: Element) -> str:
        if control.tag == "input":
            return control["value"]
        options = [option for option in self.of("option") if option.parent is control]
        chosen = next((option for option in options if "selected" in option.attributes), options[0])
        return chosen["value"] if "value" in chosen.attributes else chosen.text


def _is_within(element: Element, ancestor: Element) -> bool:
    parent = element.parent
    while parent is not None and parent is not ancestor:
        parent = parent.parent
    return parent is ancestor


async def open_page(client: httpx.AsyncClient, path: str, status: int = 200) -> Page:
    answer = await client.get(path)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.headers.get('location')} {answer.text}"
    return Page(answer)


async def send(client: httpx.AsyncClient, form: PageForm, **values: str) -> httpx.Response:
    """As a browser does when the form is filled in with those values."""
    assert form.method == "post"
    return await client.post(form.action, data=form.fields_with(**values))


def assert_led_to(answer: httpx.Response, path: str) -> None:
    assert (answer.status_code, answer.headers.get("location")) == (303, path), answer.text


def assert_error_page(answer: httpx.Response, status: int, title: str = "") -> Page:
    """It says what happened, what to do, and the request id."""
    assert answer.status_code == status, answer.text
    page = Page(answer)
    assert page.heading
    assert not title or page.heading == title
    assert page.request_id == answer.headers["x-request-id"]
    assert CONSOLE in page.links
    return page
