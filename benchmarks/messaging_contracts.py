"""What `benchmarks.messaging` and its service say to each other."""

from __future__ import annotations

from contracts.base import Answer, Request


class Echo(Request):
    text: str


class Publish(Request):
    """`count` messages, `together` at once."""

    count: int
    together: int


class Done(Answer):
    text: str
