"""The most frequent requests without FastAPI: they go from the middlewares straight to their handlers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import PeygirError
from gateway.edge.exception_handlers import on_peygir_error
from gateway.edge.metrics import FAST_PATH

DirectHandler = Callable[[Request], Awaitable[Response | None]]
"""Answers a request, or returns None before it has done anything for one that only the framework can judge."""

_ID = re.compile(r"(?<=/)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![^/])")
_PARAMETER = re.compile(r"{(\w+)}")


class FastPath:
    """Calls the handlers of the most frequent requests directly; everything else goes on to the application.

    `handlers`: by method and path template. A template may have one parameter, an id: `/v1/cases/{case_id}/notes`; the handler
    finds it in `request.path_params` as text. An id in any other form than UUIDs are answered in goes on to the application.
    """

    def __init__(self, app: ASGIApp, handlers: Mapping[tuple[str, str], DirectHandler], application: Any) -> None:
        self._app, self._application = app, application
        self._handlers: dict[tuple[str, str], tuple[str, str, DirectHandler]] = {}
        for (method, template), handler in handlers.items():
            parameters = _PARAMETER.findall(template)
            if len(parameters) > 1:
                raise TypeError(f"{template} has more than one parameter")
            self._handlers[method, _PARAMETER.sub("{}", template)] = (
                template,
                parameters[0] if parameters else "",
                handler,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(scope, receive) if scope["type"] == "http" else None
        if response is None:
            await self._app(scope, receive, send)
        else:
            await response(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> Response | None:
        method, path = scope["method"], scope["path"]
        entry = self._handlers.get((method, path))
        if entry is None:
            match = _ID.search(path)
            if match is None:
                return None
            entry = self._handlers.get((method, f"{path[: match.start()]}{{}}{path[match.end() :]}"))
            if entry is None:
                return None
            scope["path_params"] = {entry[1]: match.group()}
        template, _, handler = entry
        scope["app"], scope[FAST_PATH] = self._application, template
        request = Request(scope, receive)
        try:
            response = await handler(request)
        except PeygirError as error:
            return await on_peygir_error(request, error)
        if response is None:
            del scope[FAST_PATH]
        return response
