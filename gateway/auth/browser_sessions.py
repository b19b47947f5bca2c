"""Sessions of browsers: one cookie for JSON, streams, pictures, sound and downloads.

The cookie's value is made once and stays the same, so that any number of tabs share it:

    a.<secret>.<MAC>           who signed in; the MAC is the gateway's, so that a value which nobody was given costs no call
    c.<secret>.<sealed code>   whoever holds a tracking code: it is sealed with a key made of the secret and the gateway's own,
                               so that neither the browser's disk nor accounts' database tells it

Accounts keeps the session under a digest of the secret. What it answers is kept here for as long as an access token is valid, and
renewed before that is over: by one call, however many requests wait for it. A session that has ended is known by
`session.ended.v1`, as for bearer tokens.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cachetools import LRUCache, TTLCache
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from backbone.process import logs
from contracts import tracking_codes
from contracts.accounts import (
    BrowserSession,
    EndBrowserSession,
    OpenBrowserSession,
    ResumeBrowserSession,
    RevokedSession,
)
from contracts.accounts import Tokens as SignInTokens
from contracts.errors import BadToken, PeygirError
from gateway.auth.session_revocations import SessionRevocations
from gateway.auth.tokens import Caller, Tokens
from gateway.rabbit.client import RabbitClient

log = logs.get("browser_sessions")

COOKIE = "__Host-peygir-session"
"""With the prefix a browser takes it from this host alone, over TLS, for the whole site."""
PLAIN_COOKIE = "peygir-session"
"""Where PUBLIC_URL is http, as on a developer's machine: not every browser keeps a Secure cookie there."""
_VALUE = re.compile(r"([ac])\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{20,120})")
_CACHED_SESSIONS = 20_000
_REFUSED_SECONDS = 60.0
"""For which accounts is not asked again about a cookie that it refused."""
_RENEW_SHARE = 0.2
_RENEW_SECONDS_MOST = 60.0
"""A session is renewed when so much of its time is left: a fifth, a minute at most."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session of a browser that is valid now. `caller`: who is signed in; None for whoever holds a tracking code, whose hashes
    are `code_hashes`, the current key's first. `valid_until`, `renew_at`: epoch seconds; `expires_at`: its end."""

    id: str
    cookie: str
    expires_at: datetime
    valid_until: float
    renew_at: float
    caller: Caller | None = None
    code_hashes: tuple[str, ...] = ()


class BrowserSessions:
    """`key`: 32 bytes, the same in every gateway. `secure`: whether browsers reach us by https."""

    def __init__(
        self,
        rabbit: RabbitClient,
        tokens: Tokens,
        session_revocations: SessionRevocations,
        key: bytes,
        index_keys: Sequence[bytes],
        *,
        secure: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rabbit, self._tokens, self._revocations = rabbit, tokens, session_revocations
        self._key, self._index_keys, self._clock = key, index_keys, clock
        self.secure = secure
        self.cookie_name = COOKIE if secure else PLAIN_COOKIE
        self._sessions: LRUCache[str, OpenSession] = LRUCache(_CACHED_SESSIONS)
        self._refused: TTLCache[str, bool] = TTLCache(_CACHED_SESSIONS, _REFUSED_SECONDS)
        self._renewing: dict[str, asyncio.Task[OpenSession | None]] = {}

    async def open(self, tokens: SignInTokens) -> OpenSession:
        """The session of a sign-in that was just done, by whatever means; its refresh token is used up."""
        request = OpenBrowserSession(refresh_token=tokens.refresh_token)
        answer = await self._rabbit.call("accounts", "open_browser_session", request, BrowserSession)
        secret = answer.secret or ""
        return self._keep(f"a.{secret}.{self._mac(secret)}", answer, None)

    async def open_for_code(self, code: str) -> OpenSession:
        """The session of a browser whose visitor gave the code of a case, which was checked."""
        answer = await self._rabbit.call("accounts", "open_browser_session", OpenBrowserSession(), BrowserSession)
        secret = answer.secret or ""
        sealed = base64.urlsafe_b64encode(self._box(secret).encrypt(code.encode())).rstrip(b"=").decode()
        return self._keep(f"c.{secret}.{sealed}", answer, code)

    async def find(self, cookie: str) -> OpenSession | None:
        """The session of a cookie; None when there is none, or it has ended. Unavailable, DeadlinePassed: accounts cannot be
        asked, and what it last said is valid no longer."""
        kept = self._sessions.get(cookie)
        if kept is not None:
            if self._revocations.has_ended(kept.id):
                self._forget(cookie)
                return None
            is_current = kept.caller is None or not self._tokens.is_revoked(kept.caller)
            if is_current and self._clock() < kept.renew_at:
                return kept
        if cookie in self._refused or (parts := self._parse(cookie)) is None:
            return None
        try:
            renewed = await self._renew(cookie, *parts)
        except PeygirError:
            if kept is not None and is_current and self._clock() < kept.valid_until:
                return kept
            raise
        if renewed is None or self._revocations.has_ended(renewed.id):
            self._forget(cookie)
            return None
        return renewed

    def code_of(self, session: OpenSession) -> str:
        """The tracking code that this session was opened with; it is kept in the cookie alone."""
        parts = self._parse(session.cookie)
        return (parts[1] if parts is not None else None) or ""

    async def end(self, cookie: str) -> None:
        """Ends a session; this gateway takes its cookie no more from then on, and the others when they hear of it."""
        parts = self._parse(cookie)
        if parts is None:
            return
        answer = await self._rabbit.call(
            "accounts", "end_browser_session", EndBrowserSession(secret=parts[0]), RevokedSession
        )
        self._forget(cookie)
        if answer.ended is not None:
            self._revocations.note_ended(answer.ended.session_id, answer.ended.until)

    async def _renew(self, cookie: str, secret: str, code: str | None) -> OpenSession | None:
        """One call for all who wait for this session."""
        task = self._renewing.get(cookie)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._resume(cookie, secret, code))
            self._renewing[cookie] = task
            task.add_done_callback(lambda _: self._renewing.pop(cookie, None))
        # Who waits may be gone before the answer comes; the others still want it.
        return await asyncio.shield(task)

    async def _resume(self, cookie: str, secret: str, code: str | None) -> OpenSession | None:
        try:
            request = ResumeBrowserSession(secret=secret)
            answer = await self._rabbit.call("accounts", "resume_browser_session", request, BrowserSession)
        except BadToken:
            return None
        return self._keep(cookie, answer, code)

    def _keep(self, cookie: str, answer: BrowserSession, code: str | None) -> OpenSession:
        at = self._clock()
        session = OpenSession(
            id=str(answer.session_id),
            cookie=cookie,
            expires_at=answer.expires_at,
            valid_until=at + answer.valid_seconds,
            renew_at=at + answer.valid_seconds - min(_RENEW_SECONDS_MOST, _RENEW_SHARE * answer.valid_seconds),
            caller=self._tokens.check(answer.access_token) if answer.access_token is not None else None,
            code_hashes=tuple(tracking_codes.hashes(code, self._index_keys)) if code is not None else (),
        )
        self._sessions[cookie] = session
        return session

    def _forget(self, cookie: str) -> None:
        self._sessions.pop(cookie, None)
        self._refused[cookie] = True

    def _parse(self, cookie: str) -> tuple[str, str | None] | None:
        """The secret, and the code of a session that was opened with one; None for a value that no gateway made."""
        match = _VALUE.fullmatch(cookie)
        if match is None:
            return None
        kind, secret, rest = match.groups()
        if kind == "a":
            return (secret, None) if hmac.compare_digest(rest, self._mac(secret)) else None
        try:
            return secret, self._box(secret).decrypt(base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4))).decode()
        except (CryptoError, ValueError):
            return None

    def _mac(self, secret: str) -> str:
        digest = hmac.new(self._key, b"account\0" + secret.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:18]).decode()

    def _box(self, secret: str) -> SecretBox:
        return SecretBox(hmac.new(self._key, b"code\0" + secret.encode(), hashlib.sha256).digest())
