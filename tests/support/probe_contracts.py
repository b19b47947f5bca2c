"""What the probe service and its tests share; importing it patches nothing."""

from __future__ import annotations

from contracts.base import Answer, Request

TABLES = """
CREATE TABLE effects (seq serial, event_id uuid, pid int);
CREATE TABLE attempts (event_id uuid PRIMARY KEY, times int);
"""


class Ask(Request):
    what: str
    seconds: float = 0


class Told(Answer):
    what: str
    trace: str | None = None
