"""The session of a browser: one cookie for JSON, streams, pictures, sound and downloads alike, shared by all tabs."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from contracts.accounts import DeviceToken, Tokens
from contracts.base import Answer, Moment, UnitCode, now
from contracts.errors import PeygirError
from contracts.vocabulary import ActorKind, Role
from gateway.api.accounts.endpoints import citizen_tokens, staff_tokens
from gateway.api.dependencies import ContainerDep, Shown, VisitorDep, answer, client_of
from gateway.api.oidc.endpoints import oidc_tokens
from gateway.api.openapi_responses import answers, problems
from gateway.api.session.bodies import (
    CitizenSessionBody,
    CodeSessionBody,
    OidcSessionBody,
    SessionBody,
    StaffSessionBody,
)
from gateway.auth.browser_sessions import OpenSession
from gateway.auth.tokens import Caller
from gateway.container import AppContainer
from gateway.edge.csrf import CSRF_HEADER, refuse_other_sites
from gateway.edge.session_cookie import browser_session_of, cookie_in, has_ended_session

router = APIRouter(prefix="/session", tags=["session"])

CsrfHeader = Annotated[
    str | None,
    Header(
        alias=CSRF_HEADER,
        max_length=100,
        description="Any value: that a script of our own site sends it. Every request with the cookie that may change something "
        "has it.",
        examples=["1"],
    ),
]


class SessionView(Answer):
    """Who is signed in, for a browser to draw itself by; nothing secret. `kind`: "code", whoever holds the tracking code of one
    case; "nobody", no session. `ended`: there was one, and it has ended. `mobile`: the last four digits of a citizen's.
    `expires_at`: when it ends by itself. `by`: what the request had."""

    kind: Literal["citizen", "staff", "code", "nobody"]
    by: Literal["cookie", "token"] | None = None
    id: UUID | None = None
    name: str | None = None
    roles: list[Role] = []
    unit: UnitCode | None = None
    mobile: str | None = None
    expires_at: Moment | None = None
    ended: bool = False
    device_token: DeviceToken | None = None


@router.post(
    "",
    operation_id="openSession",
    summary="Open the session of a browser",
    status_code=201,
    response_model=SessionView,
    responses={
        **problems(401, 403, 404, body=True),
        **answers(201, "Signed in", **{"Set-Cookie": "The session, for this browser's own use"}),
    },
)
async def open_session(
    request: Request, body: SessionBody, container: ContainerDep, visitor: VisitorDep, _: CsrfHeader = None
) -> Response:
    """By `method`: `one_time_code` for a citizen, `password` or `oidc` for staff, `tracking_code` for
    whoever has nothing but a code. It is
    guarded as POST /v1/auth/tokens, POST /v1/auth/staff/tokens and the Tracking-Code header are, with the same errors and
    challenges. The cookie is HttpOnly: no script reads it, and the browser sends it by itself with every request, those of
    `<img>`, `<audio>` and EventSource too. A session that the browser had before ends. `device_token` is to be kept, for staff.
    403 `csrf_refused` without X-Peygir-CSRF, or from another site."""
    refuse_other_sites(request, container.settings.public_url)
    if isinstance(body, CitizenSessionBody):
        return await session_answer(
            request, container, await citizen_tokens(request, body, container, visitor), body.remember
        )
    if isinstance(body, StaffSessionBody):
        return await session_answer(
            request, container, await staff_tokens(request, body, container, visitor), body.remember
        )
    if isinstance(body, OidcSessionBody):
        return await session_answer(
            request, container, await oidc_tokens(request, body, container, visitor), body.remember
        )
    session = await _of_code(request, body, container)
    return await _opened(request, container, session, body.remember)


@router.get(
    "",
    operation_id="getSession",
    summary="Who is signed in in this browser",
    response_model=SessionView,
    responses=problems(401),
)
async def get_session(request: Request, container: ContainerDep, visitor: VisitorDep, _: Shown) -> Response:
    """Also of a bearer token. 200 with `nobody` for who is not signed in."""
    session = browser_session_of(request.scope)
    if session is not None:
        return answer(_view(container, session))
    if visitor.caller is not None:
        expires_at = datetime.fromtimestamp(visitor.caller.expires_at, UTC)
        return answer(SessionView(**_person(container, visitor.caller), by="token", expires_at=expires_at))
    return answer(SessionView(kind="nobody", ended=has_ended_session(request.scope)))


@router.delete(
    "",
    operation_id="closeSession",
    summary="End the session of this browser",
    status_code=204,
    response_class=Response,
    responses=problems(403),
)
async def close_session(request: Request, container: ContainerDep, _: CsrfHeader = None) -> Response:
    """In all its tabs, with its streams; the cookie is taken back. 204 without a session, too."""
    sessions = container.browser_sessions
    cookie = _cookie(request, container)
    if cookie is not None:
        refuse_other_sites(request, container.settings.public_url)
        await sessions.end(cookie)
    response = Response(status_code=204, headers={"cache-control": "no-store"})
    response.delete_cookie(sessions.cookie_name, path="/", secure=sessions.secure, httponly=True, samesite="strict")
    return response


async def session_answer(request: Request, container: AppContainer, tokens: Tokens, remember: bool) -> Response:
    """The answer to whoever has just signed in, by whatever means: the session's cookie instead of these tokens."""
    session = await container.browser_sessions.open(tokens)
    return await _opened(request, container, session, remember, tokens.device_token)


async def _of_code(request: Request, body: CodeSessionBody, container: AppContainer) -> OpenSession:
    admitted = await container.admission.admit_typed_code(client_of(container, request), body.tracking_code)
    return await container.browser_sessions.open_for_code(admitted.code)


async def _opened(
    request: Request,
    container: AppContainer,
    session: OpenSession,
    remember: bool,
    device_token: str | None = None,
) -> Response:
    sessions = container.browser_sessions
    before = _cookie(request, container)
    if before is not None:
        with suppress(PeygirError):  # nobody has its cookie any more, and it ends by itself
            await sessions.end(before)
    response = answer(_view(container, session).model_copy(update={"device_token": device_token}), 201)
    seconds = int((session.expires_at - now()).total_seconds())
    # Strict: pages of the web app are the same for everybody, so no link from elsewhere needs the cookie.
    response.set_cookie(
        sessions.cookie_name,
        session.cookie,
        max_age=seconds if remember else None,
        path="/",
        secure=sessions.secure,
        httponly=True,
        samesite="strict",
    )
    return response


def _cookie(request: Request, container: AppContainer) -> str | None:
    name = container.browser_sessions.cookie_name.encode()
    found = (cookie_in(value, name) for key, value in request.scope["headers"] if key == b"cookie")
    return next((value for value in found if value), None)


def _view(container: AppContainer, session: OpenSession) -> SessionView:
    person = {"kind": "code"} if session.caller is None else _person(container, session.caller)
    return SessionView(**person, by="cookie", expires_at=session.expires_at)


def _person(container: AppContainer, caller: Caller) -> dict[str, Any]:
    mobile = container.tokens.mobile(caller)
    return {
        "kind": "citizen" if caller.kind is ActorKind.CITIZEN else "staff",
        "id": caller.id,
        "name": caller.name,
        "roles": sorted(caller.roles),
        "unit": caller.unit,
        "mobile": mobile[-4:] if mobile else None,
    }
