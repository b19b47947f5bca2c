"""The plain pages, for those without script (DOMAIN: What is filed): HTML forms, Persian first, no script.

`install(app)` adds them to the gateway. They reach the rest of the gateway through one port, `gateway_port.GatewayPort`,
which `gateway_adapter` implements.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from contracts.errors import PeygirError
from gateway.api import dependencies
from gateway.container import AppContainer
from gateway.pages.gateway_adapter import GatewayAdapter
from gateway.pages.page_context import PageContext, SiteSettings
from gateway.pages.request_handling import refuse
from gateway.pages.routes import router
from gateway.settings import Settings


def cookie_key(settings: Settings) -> bytes:
    """32 octets for cookies and forms, made of the codes' own key."""
    return hmac.new(settings.code_derive_key.get_secret_value(), b"plain pages", hashlib.sha256).digest()


def install(app: FastAPI) -> None:
    """Adds the pages to the gateway's app. Their cookies' key comes from the codes' own, so all gateways share it."""
    container: AppContainer = app.state.container

    def address(request: Request) -> str:
        return dependencies.address_key(container, request)

    app.include_router(router(_gateway(container), _site(container), address))


async def problem(container: AppContainer, request: Request, error: PeygirError) -> Response:
    """The error page for whoever sent this request, in their language, with what they had typed."""
    context = PageContext(request, _gateway(container), _site(container), "")
    try:
        async with asyncio.timeout(container.settings.body_timeout):
            return await refuse(context, error)
    except (TimeoutError, ClientDisconnect):
        return context.problem_page(error)


def _site(container: AppContainer) -> SiteSettings:
    return SiteSettings(cookie_key(container.settings), container.form_session_store, container.settings.public_url)


def _gateway(container: AppContainer) -> GatewayAdapter:
    return GatewayAdapter(container, lambda: container.chunk_relay, container.settings.max_upload_size)


__all__ = ["cookie_key", "install", "problem", "router"]
