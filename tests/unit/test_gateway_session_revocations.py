"""An access token of a session that ended is good for nothing; what was missed is asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.accounts import EndedSession, EndedSessions, ListEndedSessions, RevokedSession, SessionEnded
from contracts.base import now
from contracts.errors import BadToken, Unavailable
from gateway.auth.session_revocations import SessionRevocations
from tests.support.gateway import Gateway, MemoryRabbitClient, bearer, refusing
from tests.unit.test_gateway_stream import hear, opened


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


def token(gateway: Gateway, session: UUID, kind: str = "citizen") -> str:
    who = {"citizen": gateway.keys.citizen, "staff": lambda **claims: gateway.keys.staff("screener", **claims)}
    made: str = who[kind](sid=str(session))
    return made


def ended(*sessions: UUID, seconds: float = 900) -> SessionEnded:
    return SessionEnded(
        id=uuid4(), occurred_at=now(), session_ids=list(sessions), until=now() + timedelta(seconds=seconds)
    )


def status(gateway: Gateway, access_token: str) -> int:
    return gateway.send("GET", "/v1/me", headers=bearer(access_token)).status_code


@pytest.mark.parametrize("kind", ["citizen", "staff"])
def test_only_tokens_of_an_ended_session_are_refused(gateway: Gateway, kind: str) -> None:
    mine, other = uuid4(), uuid4()
    access = token(gateway, mine, kind)
    assert status(gateway, access) == 200  # and is remembered as good
    hear(gateway, ended(mine))

    assert status(gateway, access) == 401
    assert status(gateway, token(gateway, mine, kind)) == 401
    assert status(gateway, token(gateway, other, kind)) == 200


def test_signing_out_is_answered_when_this_gateway_refuses_the_session(gateway: Gateway) -> None:
    mine = uuid4()
    access = token(gateway, mine)
    revoked = RevokedSession(ended=EndedSession(session_id=mine, until=now() + timedelta(minutes=15)))
    gateway.rabbit.answers["accounts.revoke"] = lambda _: revoked
    answer = gateway.send("POST", "/v1/auth/revoke", json={"refresh_token": "a-refresh-token"})

    assert (answer.status_code, answer.json()) == (200, {})  # no event was heard
    assert status(gateway, access) == 401


def test_an_unknown_refresh_token_is_answered_the_same(gateway: Gateway) -> None:
    gateway.rabbit.answers["accounts.revoke"] = lambda _: RevokedSession()
    answer = gateway.send("POST", "/v1/auth/revoke", json={"refresh_token": "nobody-s"})
    assert (answer.status_code, answer.json()) == (200, {})


def test_only_the_streams_of_an_ended_session_end(gateway: Gateway) -> None:
    mine, other = uuid4(), uuid4()
    gone, stays = (
        opened(gateway, gateway.container.tokens.check(token(gateway, session_id))) for session_id in (mine, other)
    )
    hear(gateway, ended(mine))

    assert gone.dropped
    assert gone.queue.get_nowait() is None
    assert not stays.dropped


def test_no_stream_starts_with_a_session_that_ended_meanwhile(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = uuid4()

    async def end_meanwhile(*_: Any) -> None:
        hear(gateway, ended(mine))

    monkeypatch.setattr(gateway.container.limits, "spend", end_meanwhile)
    assert gateway.send("GET", "/v1/stream", headers=bearer(token(gateway, mine))).status_code == 401


def test_missed_revocations_are_requested_page_by_page_until_accounts_answers(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.auth.session_revocations._RETRY_SECONDS", 0.01)
    first, second = uuid4(), uuid4()
    until = now() + timedelta(minutes=15)
    pages: dict[UUID | None, EndedSessions] = {
        None: EndedSessions(items=[EndedSession(session_id=first, until=until)], next=first),
        first: EndedSessions(items=[EndedSession(session_id=second, until=until)]),
    }
    refusals: list[Callable[[Any], Any]] = [refusing(Unavailable(retry_after=1))] * 2

    def list_ended(request: ListEndedSessions) -> EndedSessions:
        if refusals:
            refusals.pop()(request)
        return pages[request.after]

    gateway.rabbit.answers["accounts.list_ended_sessions"] = list_ended  # type: ignore[assignment]
    signed_in = asyncio.Event()
    gateway.container.session_revocations.add_listener(
        lambda session: signed_in.set() if session == str(second) else None
    )

    async def listen() -> None:
        await gateway.rabbit.start()
        await asyncio.wait_for(signed_in.wait(), 5)
        gateway.container.stop()

    asyncio.run(listen())
    for session in (first, second):
        with pytest.raises(BadToken):
            gateway.container.tokens.check(token(gateway, session))


def test_expired_revocations_are_removed() -> None:
    clock = [time.time()]
    session_revocations = SessionRevocations(MemoryRabbitClient(), lambda: clock[0])

    def end_session() -> None:
        until = datetime.fromtimestamp(clock[0] + 900, UTC)
        event = SessionEnded(id=uuid4(), occurred_at=now(), session_ids=[uuid4()], until=until)
        session_revocations.handle_event(event.name, event.model_dump_json())

    for _ in range(2_000):  # one in ten seconds: 90 in a quarter of an hour
        clock[0] += 10
        end_session()
    assert len(session_revocations) < 100
