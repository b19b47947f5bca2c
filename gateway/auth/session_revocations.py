"""Sessions that ended before their time: their access tokens are good for nothing any more.

An access token is believed for up to a quarter of an hour. Who signed out, or whose refresh token was stolen, must not be
served by it until then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from backbone.process import logs
from contracts.accounts import EndedSessions, ListEndedSessions, RevokedSession, RevokeTokens, SessionEnded
from contracts.errors import PeygirError
from gateway.rabbit.client import RabbitClient

log = logs.get("ended_sessions")

_PAUSE = 5.0
_CLEAN_AFTER = 60.0
"""Seconds from one look for what has expired to the next."""


class SessionRevocations:
    """The sessions known to have ended. Hears `session.ended.v1` while subscribed, and asks accounts for what it missed
    whenever it subscribes. An entry is kept until the last access token of its session has expired by itself, so there are
    never more than ended in a quarter of an hour."""

    def __init__(self, rabbit: RabbitClient, clock: Callable[[], float] = time.time) -> None:
        self._bus, self._clock = rabbit, clock
        self._ended: dict[str, float] = {}
        self._clean_at = 0.0
        self._listeners: list[Callable[[str], None]] = []
        self._asking: asyncio.Task[None] | None = None
        rabbit.on_event(self.heard)
        rabbit.on_subscription(self._subscription)

    def __len__(self) -> int:
        return len(self._ended)

    def on_end(self, listener: Callable[[str], None]) -> None:
        """`listener(session_id)` whenever a session is known to have ended."""
        self._listeners.append(listener)

    def has_ended(self, session: str | None) -> bool:
        """Whether this session (claim `sid`) is known to have ended."""
        return session in self._ended

    async def sign_out(self, refresh_token: str) -> None:
        """Ends the session of a refresh token; this gateway refuses its access tokens before anybody is answered."""
        request = RevokeTokens(refresh_token=refresh_token)
        answer = await self._bus.ask("accounts", "revoke", request, RevokedSession)
        if answer.ended is not None:
            self._add(answer.ended.session_id, answer.ended.until)

    def heard(self, name: str, body: str | bytes) -> None:
        """Listens to events; accounts alone publishes these."""
        if name == SessionEnded.name:
            event = SessionEnded.model_validate_json(body)
            for session_id in event.session_ids:
                self._add(session_id, event.until)

    def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def _add(self, session_id: UUID, until: datetime) -> None:
        self._clean()
        session, ends = str(session_id), until.timestamp()
        if session in self._ended or ends <= self._clock():
            return
        self._ended[session] = ends
        for listener in self._listeners:
            listener(session)

    def _clean(self) -> None:
        now = self._clock()
        if now >= self._clean_at:
            self._clean_at = now + _CLEAN_AFTER
            for session in [session for session, ends in self._ended.items() if ends <= now]:
                del self._ended[session]

    def _subscription(self, subscribed: bool) -> None:
        """What happened while nobody listened is asked for."""
        self.stop()
        if subscribed:
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        after: UUID | None = None
        while True:
            try:
                page = await self._bus.ask(
                    "accounts", "list_ended_sessions", ListEndedSessions(after=after), EndedSessions
                )
            except PeygirError as error:
                log.info("accounts cannot list ended sessions yet", error=error.code)
                await asyncio.sleep(_PAUSE)
                continue
            for ended in page.items:
                self._add(ended.session_id, ended.until)
            if page.next is None:
                return
            after = page.next
