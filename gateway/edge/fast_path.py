"""The most frequent requests without FastAPI: they go from the middlewares straight to their handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import PeygirError
from gateway.api.openapi_responses import Handler
from gateway.edge import language
from gateway.edge.metrics import FAST_PATH
from gateway.edge.problems import problem


class FastPath:
    """Calls the handlers of the most frequent requests directly; everything else goes on to the application."""

    def __init__(self, app: ASGIApp, handlers: Mapping[tuple[str, str], Handler], application: Any) -> None:
        self._app, self._handlers, self._application = app, handlers, application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._handlers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handler is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._application
        scope[FAST_PATH] = scope["path"]
        try:
            response = await handler(Request(scope, receive))
        except PeygirError as error:
            response = problem(error, language.of(scope["headers"]))
        await response(scope, receive, send)
