"""For the tests of admission: a gateway with chosen limits and without delays, and a stopped clock."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts import tracking_codes
from contracts.errors import UnknownCase
from gateway.edge.limit_storage import BoundedMemoryStorage
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway, refusing

REPORT = {"kind": "information", "unit": "roads", "ground": "waste", "text": "مصالح رها شده است.", "consent": True}
WRONG = "1234567890123456"
EASY = {"challenge_bits": 4, "challenge_bits_most": 8}
OF_OTHERS = "203.0.113.9"


def limited(folder: Path, delays: list[float] | None = None, **settings: Any) -> Gateway:
    """A gateway with these limits alone; delays are recorded in `delays` instead of waited for."""
    gateway = Gateway(folder, **{**UNLIMITED, **EASY, **settings})

    async def delay(seconds: float) -> None:
        if delays is not None:
            delays.append(seconds)

    gateway.container.admission.delay = delay
    gateway.container.catalogue_cache.put(CATALOGUE)
    gateway.rabbit.answers["tracking.view_by_code"] = refusing(UnknownCase())
    return gateway


def held_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The current time, as the only item of a list."""
    moment = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: moment[0])
    return moment


def by_header(gateway: Gateway, code: str, **more: Any) -> httpx.Response:
    headers = {"Tracking-Code": code, **more.pop("headers", {})}
    return gateway.send("GET", "/v1/tracking", headers=headers, **more)


def right(gateway: Gateway) -> str:
    return tracking_codes.mint(gateway.container.mac_keys)


def reset_limits(gateway: Gateway) -> None:
    """Resets all counters."""
    storage = gateway.container.limits._limiter.storage
    assert isinstance(storage, BoundedMemoryStorage)
    storage._counters.clear()
