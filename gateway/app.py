"""The application: parts, routers, errors, and its true OpenAPI document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import PeygirError
from gateway.api import openapi
from gateway.api.accounts import endpoints as accounts
from gateway.api.audit import endpoints as audit
from gateway.api.bulk import endpoints as bulk
from gateway.api.calendars import endpoints as calendars
from gateway.api.call_backs import endpoints as call_backs
from gateway.api.case_commands import command_forms
from gateway.api.cases import endpoints as cases
from gateway.api.catalogue import endpoints as catalogue
from gateway.api.checkpoints import endpoints as checkpoints
from gateway.api.colleagues import endpoints as colleagues
from gateway.api.configuration import endpoints as configuration
from gateway.api.decisions import endpoints as decisions
from gateway.api.dependencies import address_key, refuse_wrong_token
from gateway.api.desk import endpoints as desk
from gateway.api.exports import endpoints as exports
from gateway.api.figures import endpoints as figures
from gateway.api.identities import endpoints as identities
from gateway.api.inquiry import endpoints as inquiry
from gateway.api.macros import endpoints as macros
from gateway.api.me import endpoints as me
from gateway.api.messages import endpoints as messages
from gateway.api.notification_texts import endpoints as notification_texts
from gateway.api.notifications import endpoints as notifications
from gateway.api.office import endpoints as office
from gateway.api.oidc import endpoints as oidc
from gateway.api.openapi_responses import direct_handlers
from gateway.api.operations import endpoints as operations
from gateway.api.own_account import endpoints as own_account
from gateway.api.own_cases import endpoints as own_cases
from gateway.api.own_visits import endpoints as own_visits
from gateway.api.papers import endpoints as papers
from gateway.api.preferences import endpoints as preferences
from gateway.api.push import endpoints as push
from gateway.api.referrals import endpoints as referrals
from gateway.api.screening import endpoints as screening
from gateway.api.searches import endpoints as searches
from gateway.api.senders import SentOperation
from gateway.api.senders import operations as sent_operations
from gateway.api.session import endpoints as session
from gateway.api.staff import endpoints as staff
from gateway.api.stream import endpoints as stream
from gateway.api.submissions import endpoints as submissions
from gateway.api.tracking import endpoints as tracking
from gateway.api.unit_questions import endpoints as unit_questions
from gateway.api.uploads import endpoints as uploads
from gateway.api.visits import endpoints as visits
from gateway.api.webhook_subscriptions import endpoints as webhook_subscriptions
from gateway.api.webhooks import endpoints as webhooks
from gateway.container import AppContainer
from gateway.edge import exception_handlers
from gateway.edge.body_limits import BodyLimitMiddleware
from gateway.edge.cors import CrossOriginMiddleware
from gateway.edge.error_responses import error_response
from gateway.edge.fast_path import FastPath
from gateway.edge.general_budget import GeneralBudgetMiddleware
from gateway.edge.metrics import RouteTemplates
from gateway.edge.problems import MethodNotAllowed
from gateway.edge.representation import RepresentationMiddleware
from gateway.edge.request_log import RequestLogMiddleware
from gateway.edge.route_templates import OverlappingRoutes, route_templates
from gateway.edge.session_cookie import SessionCookieMiddleware
from gateway.pages import installation as pages
from gateway.pages.form_session_store import make_store
from gateway.rabbit.client import RabbitClient
from gateway.settings import Settings

# Most asked first: routes are tried in this order.
_ROUTERS = (
    submissions,
    tracking,
    catalogue,
    office,
    accounts,
    session,
    me,
    own_account,
    oidc,
    own_cases,
    own_visits,
    messages,
    preferences,
    push,
    desk,
    call_backs,
    bulk,
    cases,
    macros,
    searches,
    exports,
    decisions,
    screening,
    inquiry,
    colleagues,
    visits,
    calendars,
    unit_questions,
    identities,
    referrals,
    figures,
    configuration,
    staff,
    notification_texts,
    notifications,
    webhook_subscriptions,
    audit,
    operations,
    stream,
    papers,
    checkpoints,
    webhooks,
)
_FREE = ("/v1/uploads", "/v1/webhooks")
"""Paths whose bodies are not JSON of ours."""


def api_operations() -> list[SentOperation]:
    """Every operation of the API but the upload protocol's, and who may send it."""
    return list(sent_operations((module.router for module in _ROUTERS), "/v1"))


class Gateway(FastAPI):
    """FastAPI within our own middlewares, so that what is asked most need not pass through it."""

    outside: ASGIApp
    templates: RouteTemplates
    overlapping: OverlappingRoutes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.outside if scope["type"] == "http" else self.framework)(scope, receive, send)

    async def framework(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = self.overlapping.methods_of(scope["path"]) if scope["type"] == "http" else None
        if methods is not None and scope["method"] not in methods:
            headers = {"allow": ", ".join(sorted(methods))}
            await error_response(MethodNotAllowed(), scope["path"], scope["headers"], headers)(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


def make_rabbit_client(settings: Settings) -> RabbitClient:
    """The connection to the broker that these settings ask for."""
    return RabbitClient(
        settings.amqp_url.get_secret_value(),
        publish_timeout=settings.publish_timeout,
        rpc_timeout=settings.rpc_timeout,
        rpc_deadline=settings.rpc_deadline,
        max_publishing=settings.max_publishing,
        max_calls=settings.max_calls,
        retry_after=settings.retry_after,
    )


def create_app(settings: Settings, rabbit: RabbitClient | None = None) -> FastAPI:
    """The gateway as an ASGI application; its lifespan connects to RabbitMQ. `app.state.container` holds its parts."""
    container = AppContainer(settings, rabbit or make_rabbit_client(settings), make_store(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        container.catalogue_cache.load()
        await container.rabbit.start()
        daily = asyncio.create_task(container.checkpoints.run_daily())
        sweeping = asyncio.create_task(container.form_session_store.sweep_forever())
        expiring = asyncio.create_task(container.presence.expire_forever())
        yield
        expiring.cancel()
        daily.cancel()
        sweeping.cancel()
        container.stop()
        await container.rabbit.stop()
        await container.object_store.aclose()

    app = Gateway(
        title="Peygir",
        version="1",
        description=openapi.DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        exception_handlers={
            PeygirError: exception_handlers.on_peygir_error,
            RequestValidationError: exception_handlers.on_validation_error,
            HTTPException: exception_handlers.on_http_exception,
            ClientDisconnect: exception_handlers.on_client_gone,
            Exception: exception_handlers.on_unexpected,
        },
        redirect_slashes=False,
    )
    app.state.container = container
    api = APIRouter(prefix="/v1")
    for module in _ROUTERS:
        api.include_router(module.router)
        for audience, form in command_forms(module.router, "/v1"):
            container.command_forms.add(audience, [form])
    app.include_router(api)
    app.include_router(
        uploads.router(
            container.chunk_relay,
            max_size=settings.max_upload_size,
            stall_timeout=settings.stall_timeout,
            address_key=partial(address_key, container),
        ),
        dependencies=[refuse_wrong_token],
    )
    app.router.routes.append(Route("/v1/openapi.json", openapi.answer, methods=["GET"], name="openapi"))
    app.router.routes.append(Route("/healthz", _healthz, methods=["GET"]))
    app.router.routes.append(Route("/readyz", _readyz, methods=["GET"]))
    pages.install(app)
    app.templates = route_templates(app.routes)
    app.overlapping = OverlappingRoutes(app.routes)
    handlers = {key: handler for module in _ROUTERS for key, handler in direct_handlers(module.router, "/v1").items()}
    inside: ASGIApp = BodyLimitMiddleware(FastPath(app.framework, handlers, app), settings, not_json=_FREE)
    inside = GeneralBudgetMiddleware(inside, container, partial(pages.problem, container))
    inside = SessionCookieMiddleware(inside, container.browser_sessions, settings.public_url)
    inside = RepresentationMiddleware(inside)
    app.outside = RequestLogMiddleware(
        CrossOriginMiddleware(inside, settings.cors_origins) if settings.cors_origins else inside
    )
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("alive\n")


async def _readyz(request: Request) -> Response:
    state, status = readiness(request.app.state.container)
    return PlainTextResponse(state, status)


def readiness(container: AppContainer) -> tuple[str, int]:
    """What /readyz says: ready when submissions are taken, with a warning while nobody may handle some of them."""
    if container.ready:
        warnings = (
            ("no substitute", container.substitutes.uncovered),
            ("no second substitute, to approve decisions,", container.substitutes.without_second),
        )
        lines = (f"warning: {what} for cases about {', '.join(sorted(units))}\n" for what, units in warnings if units)
        return f"ready\n{''.join(lines)}", 200
    if container.stopping:
        return "stopping\n", 503
    return ("broker blocks publishers\n" if container.rabbit.blocked else "missing: broker\n"), 503


__all__: list[Any] = ["create_app", "make_rabbit_client", "readiness"]
