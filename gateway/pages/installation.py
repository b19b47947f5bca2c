"""The plain pages: the way in for those without script (DOMAIN: What is filed). HTML forms, Persian first, no script.

`install(app)` adds them to the gateway. They depend on one port, `gateway_port.GatewayPort`, which `gateway_adapter` implements.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from contracts.errors import PeygirError
from gateway.api import dependencies as deps
from gateway.container import AppContainer
from gateway.pages.attend import refuse
from gateway.pages.gateway_adapter import GatewayAdapter
from gateway.pages.routes import router
from gateway.pages.visit import Site, Visit
from gateway.settings import Settings


def cookie_key(settings: Settings) -> bytes:
    """32 octets for cookies and forms, made of the codes' own key."""
    return hmac.new(settings.code_derive_key.get_secret_value(), b"plain pages", hashlib.sha256).digest()


def install(app: FastAPI) -> None:
    """Adds the pages to the gateway's app. Their cookies' key comes from the codes' own, so all gateways share it."""
    door: AppContainer = app.state.container

    def address(request: Request) -> str:
        return deps.address_key(door, request)

    app.include_router(router(_pages_door(door), _site(door), address))


async def problem(door: AppContainer, request: Request, error: PeygirError) -> Response:
    """The page that tells an error to whoever sent this request, in their language, with what they had typed."""
    visit = Visit(request, _pages_door(door), _site(door), "")
    try:
        async with asyncio.timeout(door.settings.body_timeout):
            return await refuse(visit, error)
    except (TimeoutError, ClientDisconnect):
        return visit.problem(error)


def _site(door: AppContainer) -> Site:
    return Site(cookie_key(door.settings), door.visit_store, door.settings.public_url)


def _pages_door(door: AppContainer) -> GatewayAdapter:
    return GatewayAdapter(door, lambda: door.chunk_relay, door.settings.max_upload_size)


__all__ = ["cookie_key", "install", "problem", "router"]
