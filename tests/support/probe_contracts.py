"""What the probe service and its tests share; importing it patches nothing."""

from __future__ import annotations

from contracts.accounts import StaffChanged
from contracts.base import Answer, Request
from tests.support.events import account_changed


class ProbeRequest(Request):
    what: str
    seconds: float = 0


class ProbeAnswer(Answer):
    what: str
    trace: str | None = None


def staff_changed(instruction: str = "note") -> StaffChanged:
    """An event that tells the probe what to do (tests/support/probe.py lists the instructions)."""
    return account_changed(display_name=instruction)
