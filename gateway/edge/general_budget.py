"""The budget that every request spends, whatever its path, before anything of it is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import BadToken, TooMany
from gateway.api import dependencies as deps
from gateway.container import AppContainer
from gateway.edge import language
from gateway.edge.problems import problem

EXEMPT = frozenset({"/healthz", "/readyz"})
"""Asked by whoever watches this process."""
EXEMPT_PREFIXES = ("/pages/", "/v1/webhooks/")
"""Style and icon, which a browser keeps; an SMS provider, who comes by one address for everybody: a wrong secret spends."""


class GeneralBudget:
    """`page`: how a page tells an error; everything under /v1 tells it as a problem."""

    def __init__(
        self, app: ASGIApp, container: AppContainer, page: Callable[[Request, TooMany], Awaitable[Response]]
    ) -> None:
        self._app, self._container, self._page = app, container, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        counted = scope["type"] == "http" and self._container.admission.counts_requests and not is_exempt(scope["path"])
        if not counted:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            await self._container.admission.request(
                deps.address_key(self._container, request), _account(self._container, request)
            )
        except TooMany as error:
            is_api = scope["path"].startswith("/v1/")
            refusal = problem(error, language.of(scope["headers"])) if is_api else await self._page(request, error)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_exempt(path: str) -> bool:
    """Whether a request of this path costs nothing."""
    return path in EXEMPT or path.startswith(EXEMPT_PREFIXES)


def _account(container: AppContainer, request: Request) -> str | None:
    """Who is signed in. A token that is none of ours makes nobody: it spends of its address."""
    try:
        caller = deps.caller_of(container, request)
    except BadToken:
        return None
    return str(caller.id) if caller is not None else None
