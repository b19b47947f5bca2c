"""Sessions that ended before their tokens expired: their access tokens are refused.

An access token is valid for up to a quarter of an hour. After signing out, or when a refresh token was stolen, it must not
work until then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from backbone.process import logs
from contracts.accounts import (
    EndedSession,
    EndedSessions,
    ListEndedSessions,
    RevokedSession,
    RevokeTokens,
    SessionEnded,
)
from contracts.errors import PeygirError
from gateway.rabbit.client import RabbitClient

log = logs.get("ended_sessions")

_RETRY_SECONDS = 5.0
_SWEEP_SECONDS = 60.0
"""Between two removals of expired entries."""


class SessionRevocations:
    """The sessions that have ended. Kept up to date by `session.ended.v1` while subscribed, and by asking accounts whenever
    the subscription begins. An entry is kept until the last access token of its session has expired, so there are never more
    than ended in a quarter of an hour."""

    def __init__(self, rabbit: RabbitClient, clock: Callable[[], float] = time.time) -> None:
        self._rabbit, self._clock = rabbit, clock
        self._ended: dict[str, float] = {}
        self._sweep_at = 0.0
        self._listeners: list[Callable[[str], None]] = []
        self._loading: asyncio.Task[None] | None = None
        rabbit.add_event_listener(self.handle_event)
        rabbit.add_subscription_listener(self._set_subscribed)

    def __len__(self) -> int:
        return len(self._ended)

    def add_listener(self, listener: Callable[[str], None]) -> None:
        """`listener(session_id)` is called for each session that ends."""
        self._listeners.append(listener)

    def has_ended(self, session: str | None) -> bool:
        """Whether this session (claim `sid`) has ended, as far as this gateway knows."""
        return session in self._ended

    async def sign_out(self, refresh_token: str) -> None:
        """Ends the session of a refresh token; this gateway refuses its access tokens from then on."""
        request = RevokeTokens(refresh_token=refresh_token)
        answer = await self._rabbit.call("accounts", "revoke", request, RevokedSession)
        if answer.ended is not None:
            self._add(answer.ended.session_id, answer.ended.until)

    def note_ended(self, session_id: UUID, until: datetime) -> None:
        """A session that has just been ended by this gateway. `until`: as in SessionEnded."""
        self._add(session_id, until)

    def add_ended(self, ended: Iterable[EndedSession]) -> None:
        """Sessions that accounts has just ended for somebody: this gateway refuses their access tokens from then on."""
        for session in ended:
            self._add(session.session_id, session.until)

    def handle_event(self, name: str, body: str | bytes) -> None:
        """Takes in `session.ended.v1`; accounts alone may publish it."""
        if name == SessionEnded.name:
            event = SessionEnded.model_validate_json(body)
            for session_id in event.session_ids:
                self._add(session_id, event.until)

    def stop(self) -> None:
        if self._loading is not None:
            self._loading.cancel()

    def _add(self, session_id: UUID, until: datetime) -> None:
        self._remove_expired()
        session, ends = str(session_id), until.timestamp()
        if session in self._ended or ends <= self._clock():
            return
        self._ended[session] = ends
        for listener in self._listeners:
            listener(session)

    def _remove_expired(self) -> None:
        now = self._clock()
        if now >= self._sweep_at:
            self._sweep_at = now + _SWEEP_SECONDS
            for session in [session for session, ends in self._ended.items() if ends <= now]:
                del self._ended[session]

    def _set_subscribed(self, subscribed: bool) -> None:
        """Asks for the sessions that ended while events were not received."""
        self.stop()
        if subscribed:
            self._loading = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> None:
        after: UUID | None = None
        while True:
            try:
                page = await self._rabbit.call(
                    "accounts", "list_ended_sessions", ListEndedSessions(after=after), EndedSessions
                )
            except PeygirError as error:
                log.info("accounts cannot list ended sessions yet", error=error.code)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            for ended in page.items:
                self._add(ended.session_id, ended.until)
            if page.next is None:
                return
            after = page.next
