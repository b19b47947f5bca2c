"""An access token of before its account was changed is good for nothing; what was missed is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.accounts import AccountVersion, ChangedStaff
from contracts.errors import Unavailable
from gateway.auth import account_changes
from tests.support.gateway import Gateway, bearer, refusing
from tests.unit.test_gateway_stream import account, hear

ME = uuid4()


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


def status(gateway: Gateway, version: int | None, of: UUID = ME) -> int:
    claims: dict[str, Any] = {} if version is None else {"ver": version}
    token = gateway.keys.staff("screener", sub=str(of), **claims)
    return gateway.send("GET", "/v1/me", headers=bearer(token)).status_code


def test_a_token_from_before_the_change_is_refused_and_the_next_is_accepted(gateway: Gateway) -> None:
    token = bearer(gateway.keys.staff("screener", sub=str(ME), ver=1))
    assert gateway.send("GET", "/v1/me", headers=token).status_code == 200  # and is remembered as good
    hear(gateway, account(ME, version=2))

    assert gateway.send("GET", "/v1/me", headers=token).status_code == 401
    assert status(gateway, 2) == 200
    assert status(gateway, 3) == 200  # of a change that was not heard of yet
    assert status(gateway, 1, of=uuid4()) == 200


def test_an_older_event_makes_no_token_valid_again(gateway: Gateway) -> None:
    hear(gateway, account(ME, version=3))
    hear(gateway, account(ME, version=2))

    assert status(gateway, 2) == 401


def test_a_token_without_a_version_is_older_than_any_change(gateway: Gateway) -> None:
    assert status(gateway, None) == 200
    hear(gateway, account(ME, version=1))

    assert status(gateway, None) == 401


def test_no_stream_starts_with_a_token_revoked_meanwhile(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    async def change_meanwhile(*_: Any) -> None:
        hear(gateway, account(ME, version=2))

    monkeypatch.setattr(gateway.container.limits, "spend", change_meanwhile)
    token = bearer(gateway.keys.staff("screener", sub=str(ME), ver=1))
    assert gateway.send("GET", "/v1/stream", headers=token).status_code == 401


def test_missed_changes_are_requested_until_accounts_answers(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_changes, "_RETRY_SECONDS", 0.01)
    changed = ChangedStaff(items=[AccountVersion(staff_id=ME, version=5)])
    refuses = [refusing(Unavailable(retry_after=1))] * 2
    answers: list[Callable[..., object]] = [*refuses, lambda _: changed]
    revoked = asyncio.Event()
    gateway.container.token_revocations.add_listener(lambda _: revoked.set())
    gateway.rabbit.answers["accounts.list_changed_staff"] = lambda request: answers.pop(0)(request)  # type: ignore[return-value,assignment]

    async def listen() -> None:
        await gateway.rabbit.start()
        await asyncio.wait_for(revoked.wait(), 5)
        gateway.container.stop()

    asyncio.run(listen())
    assert status(gateway, 4) == 401
    assert status(gateway, 5) == 200
