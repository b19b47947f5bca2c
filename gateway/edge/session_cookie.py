"""Who a request is from by the cookie of a browser's session, before anything else looks at it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import BadToken, PeygirError
from gateway.auth.browser_sessions import BrowserSessions, OpenSession
from gateway.edge import language
from gateway.edge.csrf import SAFE_METHODS, refuse_other_sites
from gateway.edge.problems import problem

_SESSION = "peygir.browser_session"
_ENDED = "peygir.browser_session_ended"
_EXPLICIT = (b"authorization", b"tracking-code")
"""Headers that say who sends a request; the cookie is then not looked at."""
_WITHOUT = ("/v1/auth/", "/v1/webhooks/")
"""Paths that do not ask who is signed in: what signs in an app by tokens, and what providers push."""
_OWN_PATH = "/v1/session"
"""Its endpoints judge the cookie themselves: one opens a session in place of one that has ended."""
_FIND_BY_BODY = "/v1/tracking"
"""POST: the code is in the body."""


class SessionCookieMiddleware:
    """Finds the session of a cookie under /v1. A request that may change something is CsrfRefused unless a page of ours sent it,
    and BadToken when the session has ended: nobody shall file as nobody who means to be signed in. Reading goes on as nobody."""

    def __init__(self, app: ASGIApp, browser_sessions: BrowserSessions, public_url: str) -> None:
        self._app, self._sessions, self._public_url = app, browser_sessions, public_url
        self._name = browser_sessions.cookie_name.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            cookie = self._cookie_of(scope)
            if cookie is not None:
                try:
                    await self._look_up(scope, cookie)
                except PeygirError as error:
                    await problem(error, language.of(scope["headers"]))(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    async def _look_up(self, scope: Scope, cookie: str) -> None:
        changes = scope["method"] not in SAFE_METHODS and scope["path"] != _OWN_PATH
        if changes:
            refuse_other_sites(Request(scope), self._public_url)
        session = await self._sessions.find(cookie)
        if session is not None:
            scope[_SESSION] = session
        elif changes:
            raise BadToken
        else:
            scope[_ENDED] = True

    def _cookie_of(self, scope: Scope) -> str | None:
        """The value of the cookie, where it counts."""
        path = scope["path"]
        if path.startswith(_WITHOUT) or (path == _FIND_BY_BODY and scope["method"] == "POST"):
            return None
        value = None
        for name, content in scope["headers"]:
            if name in _EXPLICIT:
                return None
            if name == b"cookie":
                value = cookie_in(content, self._name) or value
        return value


def cookie_in(header: bytes, name: bytes) -> str | None:
    """The value of a cookie in a Cookie header."""
    for pair in header.split(b";"):
        key, equals, value = pair.strip().partition(b"=")
        if equals and key == name:
            return value.decode("latin-1")
    return None


def browser_session_of(scope: MutableMapping[str, Any]) -> OpenSession | None:
    """The session that this request's cookie is of."""
    session: OpenSession | None = scope.get(_SESSION)
    return session


def has_ended_session(scope: MutableMapping[str, Any]) -> bool:
    """Whether the request has a cookie whose session has ended."""
    return bool(scope.get(_ENDED))
