"""The budget that every request spends, whatever its path, before any of its body is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import BadToken, TooMany
from gateway.api import dependencies
from gateway.container import AppContainer
from gateway.edge import language
from gateway.edge.problems import problem
from gateway.edge.session_cookie import browser_session_of

EXEMPT = frozenset({"/healthz", "/readyz"})
"""Paths of monitoring."""
EXEMPT_PREFIXES = ("/pages/", "/v1/webhooks/")
"""Style and icon, which browsers cache; and SMS providers, which send for everybody from one address: there a wrong secret
spends from a budget."""


class GeneralBudgetMiddleware:
    """`error_page`: renders the refusal for a page; under /v1 it is problem+json."""

    def __init__(
        self,
        app: ASGIApp,
        container: AppContainer,
        error_page: Callable[[Request, TooMany], Awaitable[Response]],
    ) -> None:
        self._app, self._container, self._error_page = app, container, error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_counted = (
            scope["type"] == "http" and self._container.admission.counts_requests and not is_exempt(scope["path"])
        )
        if not is_counted:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            await self._container.admission.admit_request(
                dependencies.address_key(self._container, request), _account(self._container, request)
            )
        except TooMany as error:
            is_api = scope["path"].startswith("/v1/")
            refusal = (
                problem(error, language.of(scope["headers"])) if is_api else await self._error_page(request, error)
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_exempt(path: str) -> bool:
    """Whether requests of this path are not counted."""
    return path in EXEMPT or path.startswith(EXEMPT_PREFIXES)


def _account(container: AppContainer, request: Request) -> str | None:
    """The id of who is signed in, or of a browser's session for a tracking code. A request with an invalid token counts against
    its address."""
    try:
        caller = dependencies.caller_of(container, request)
    except BadToken:
        return None
    if caller is not None:
        return str(caller.id)
    session = browser_session_of(request.scope)
    return session.id if session is not None else None
