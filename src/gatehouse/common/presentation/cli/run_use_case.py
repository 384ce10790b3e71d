"""What the commands of the command line are given to do their work."""

from collections.abc import Awaitable, Callable

from dishka import AsyncContainer

type Act = Callable[[AsyncContainer], Awaitable[str]]
type Operate = Callable[[Act], str]
"""Runs an act with a request's container at hand and gives back what there is to say."""
