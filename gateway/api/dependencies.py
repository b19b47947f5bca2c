"""FastAPI dependencies of the endpoints: the container, who sends the request, the tracking code, conditions and keys.

An endpoint takes what it needs as parameters:

    async def create(container: ContainerDep, visitor: VisitorDep) -> Response:
        upload = await container.rabbit.call("media", "create_upload", CreateUpload(...), Upload)

`container.rabbit.call(service, method, request, Answer)` raises contracts.errors; the app answers them as problem+json.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

from fastapi import Depends, Header, Path, Query
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from contracts.accounts import SignInPlace
from contracts.base import Request as ServiceRequest
from contracts.base import UploadId
from contracts.errors import BadToken, InvalidField, NotAllowed, NotAuthenticated, StaleVersion, VersionNeeded
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Language, Role
from gateway.auth.browser_sessions import COOKIE
from gateway.auth.tokens import Caller
from gateway.container import AppContainer
from gateway.edge import language
from gateway.edge.admission import ANSWER_HEADER, AdmittedCode, Client
from gateway.edge.client_addresses import coarse_network
from gateway.edge.representation import matching
from gateway.edge.session_cookie import browser_session_of, has_ended_session
from gateway.edge.user_agents import agent_of

JSON = "application/json"
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sent a request. `address_key`: stands for their address today; `caller`: who they are, when signed in."""

    address_key: str
    language: Language
    caller: Caller | None

    @property
    def budget_key(self) -> str:
        return str(self.caller.id) if self.caller else self.address_key


def container_of(request: Request) -> AppContainer:
    """The container of this request's app."""
    container: AppContainer = request.app.state.container
    return container


def address_key(container: AppContainer, request: Request) -> str:
    """What stands for this request's address in the limits."""
    address = container.limits.client_address(request.client, ",".join(request.headers.getlist("x-forwarded-for")))
    return container.limits.address_key(address)


def client_of(container: AppContainer, request: Request) -> Client:
    """This request's sender, as limits see them."""
    return Client(address_key(container, request), request.headers.get(ANSWER_HEADER))


def place_of(container: AppContainer, request: Request, *, staff: bool) -> SignInPlace:
    """Where a session is begun, for its owner's list; of a citizen nothing of the address."""
    agent = agent_of(request.headers.get("user-agent", ""))
    if not staff:
        return SignInPlace(agent=agent)
    address = container.limits.client_address(request.client, ",".join(request.headers.getlist("x-forwarded-for")))
    return SignInPlace(agent=agent, network=coarse_network(address))


def caller_of(container: AppContainer, request: Request) -> Caller | None:
    """Who signed this request, by a token or the cookie of a session; None without either, BadToken with a wrong token."""
    headers = request.headers.getlist("authorization")
    if not headers:
        session = browser_session_of(request.scope)
        return session.caller if session is not None else None
    scheme, _, token = headers[0].partition(" ")
    if len(headers) != 1 or scheme.lower() != "bearer" or not token:
        raise BadToken
    return container.tokens.check(token.strip())


def not_signed_in(request: Request) -> NotAuthenticated:
    """The error for who is nobody: BadToken where the cookie's session has ended."""
    return BadToken() if has_ended_session(request.scope) else NotAuthenticated()


def visitor_of(container: AppContainer, request: Request) -> Visitor:
    """Who sent this request, signed in or not."""
    return Visitor(
        address_key(container, request), language.of(request.scope["headers"]), caller_of(container, request)
    )


async def _container(request: Request) -> AppContainer:
    return container_of(request)


ContainerDep = Annotated[AppContainer, Depends(_container)]

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="session",
    bearerFormat="JWT",
    description="An access token of a citizen (POST /v1/auth/tokens) or of staff (POST /v1/auth/staff/tokens).",
)
cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="cookie",
    description="The session of a browser (POST /v1/session). A request that may change something has X-Peygir-CSRF beside it.",
)
ShownCookie = Annotated[str | None, Depends(cookie)]
"""For an operation that a session of a browser may take the place of a tracking code in."""


def _shown(
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)], _: ShownCookie
) -> HTTPAuthorizationCredentials | None:
    return token


Shown = Annotated[HTTPAuthorizationCredentials | None, Depends(_shown)]
"""For an operation of who is signed in, by a token or the session of a browser."""


async def _visitor(request: Request, container: ContainerDep) -> Visitor:
    return visitor_of(container, request)


VisitorDep = Annotated[Visitor, Depends(_visitor)]
refuse_wrong_token = Depends(_visitor)
"""For a router that needs no Visitor: a wrong token is refused."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A visitor who is signed in."""

    visitor: Visitor
    caller: Caller
    actor: Actor

    @property
    def request_fields(self) -> dict[str, Any]:
        """The fields of a service's request that say who sends it."""
        return {"actor": self.actor}


async def _signed_in(request: Request, visitor: VisitorDep, _: Shown) -> SignedIn:
    if visitor.caller is None:
        raise not_signed_in(request)
    return SignedIn(visitor, visitor.caller, visitor.caller.actor(visitor.language))


SignedInDep = Annotated[SignedIn, Depends(_signed_in)]


async def _citizen(signed_in: SignedInDep) -> SignedIn:
    if signed_in.caller.kind is not ActorKind.CITIZEN:
        raise NotAllowed
    return signed_in


async def _staff(signed_in: SignedInDep) -> SignedIn:
    if signed_in.caller.kind is not ActorKind.STAFF:
        raise NotAllowed
    return signed_in


CitizenDep = Annotated[SignedIn, Depends(_citizen)]
StaffDep = Annotated[SignedIn, Depends(_staff)]


async def _administrator(signed_in: StaffDep) -> SignedIn:
    if Role.ADMINISTRATOR not in signed_in.caller.roles:
        raise NotAllowed
    return signed_in


AdministratorDep = Annotated[SignedIn, Depends(_administrator)]


@dataclass(frozen=True, slots=True)
class InSession:
    """Somebody signed in, for what is about their own account."""

    visitor: Visitor
    caller: Caller
    actor: Actor
    session_id: UUID

    @property
    def request_fields(self) -> dict[str, Any]:
        """The fields of a service's request that say who sends it, and in which session."""
        return {"actor": self.actor, "session_id": self.session_id}


async def _in_session(signed_in: SignedInDep) -> InSession:
    if signed_in.caller.session is None:
        raise BadToken
    return InSession(signed_in.visitor, signed_in.caller, signed_in.actor, UUID(signed_in.caller.session))


InSessionDep = Annotated[InSession, Depends(_in_session)]


async def _staff_in_session(in_session: InSessionDep) -> InSession:
    if in_session.caller.kind is not ActorKind.STAFF:
        raise NotAllowed
    return in_session


StaffInSessionDep = Annotated[InSession, Depends(_staff_in_session)]


def staff_actor(container: AppContainer, request: Request) -> Actor:
    """The member of staff who signed this request, for handlers without FastAPI. Errors: as StaffDep's."""
    caller = caller_of(container, request)
    if caller is None:
        raise not_signed_in(request)
    if caller.kind is not ActorKind.STAFF:
        raise NotAllowed
    return caller.actor(language.of(request.scope["headers"]))


# --- the tracking code ---


@dataclass(frozen=True, slots=True)
class Bearer:
    """Somebody who holds a tracking code. `code_hashes`: what its case may be stored under, the current key's first."""

    visitor: Visitor
    code_hashes: list[str]

    @property
    def actor(self) -> Actor:
        return Actor(kind=ActorKind.BEARER, id=self.code_hashes[0], language=self.visitor.language)

    @property
    def request_fields(self) -> dict[str, Any]:
        """The fields of a service's request that say who sends it."""
        return {"actor": self.actor, "code_hashes": self.code_hashes}


async def bearer_of(container: AppContainer, client: Client, typed: str) -> list[str]:
    """The hashes of a code that was typed; UnknownTrackingCode for a bad one, at once and without asking anyone."""
    return (await container.admission.admit_typed_code(client, typed)).hashes


async def code_hashes_of(container: AppContainer, request: Request, typed: str | None) -> list[str]:
    """The hashes of the code in the header, else of the one that this browser's session was opened with. Errors: as `bearer_of`;
    without either InvalidField, or BadToken where the session has ended."""
    if typed is not None:
        return await bearer_of(container, client_of(container, request), typed_in_header(typed))
    session = browser_session_of(request.scope)
    if session is not None and session.code_hashes:
        # Its requests are counted by session, and so not by code.
        return list(session.code_hashes)
    if has_ended_session(request.scope):
        raise BadToken
    raise InvalidField(fields=[{"field": "Tracking-Code", "reason": "missing"}])


TrackingCode = Annotated[
    str | None,
    Header(
        alias="Tracking-Code",
        min_length=1,
        max_length=64,
        description="The 16 digits, spaces and dashes allowed; in any digits when percent-encoded UTF-8. Left out by a browser "
        "that has opened a session with its code.",
        examples=["4821 0937 5518 2604"],
        json_schema_extra={"format": "password"},
    ),
]


def typed_in_header(value: str) -> str:
    """A code from a header, where Persian digits can only stand percent-encoded or as raw UTF-8."""
    from urllib.parse import unquote

    with contextlib.suppress(UnicodeEncodeError, UnicodeDecodeError):
        value = value.encode("latin-1").decode("utf-8")
    return unquote(value) if "%" in value else value


async def _bearer(
    request: Request, container: ContainerDep, _: ShownCookie, tracking_code: TrackingCode = None
) -> Bearer:
    visitor = Visitor(address_key(container, request), language.of(request.scope["headers"]), None)
    return Bearer(visitor, await code_hashes_of(container, request, tracking_code))


BearerDep = Annotated[Bearer, Depends(_bearer)]


async def _typed_code(
    request: Request, container: ContainerDep, _: ShownCookie, tracking_code: TrackingCode = None
) -> AdmittedCode:
    if tracking_code is None:
        hashes = await code_hashes_of(container, request, None)
        session = browser_session_of(request.scope)
        return AdmittedCode(container.browser_sessions.code_of(session) if session else "", hashes)
    return await container.admission.admit_typed_code(client_of(container, request), typed_in_header(tracking_code))


TypedCodeDep = Annotated[AdmittedCode, Depends(_typed_code)]
"""The code itself, of whoever holds it, for what is made of it."""
OptionalTrackingCode = Annotated[
    str | None,
    Header(
        alias="Tracking-Code",
        min_length=1,
        max_length=64,
        description="The 16 digits: for the case of this code alone, also for who is signed in.",
        json_schema_extra={"format": "password"},
    ),
]


async def _person(
    request: Request,
    container: ContainerDep,
    visitor: VisitorDep,
    _: Shown,
    tracking_code: OptionalTrackingCode = None,
) -> SignedIn | Bearer:
    session = browser_session_of(request.scope)
    if tracking_code is not None or (session is not None and session.code_hashes):
        return Bearer(visitor, await code_hashes_of(container, request, tracking_code))
    return await _signed_in(request, visitor, _)


PersonDep = Annotated[SignedIn | Bearer, Depends(_person)]
"""A signed-in person, or the holder of a tracking code."""


# --- conditions and keys ---

_KEY = StringConstraints(pattern=r"^[\x21-\x7e]{8,100}$", min_length=8, max_length=100)

IdempotencyKey = Annotated[
    Annotated[str, _KEY],
    Header(
        alias="Idempotency-Key", description="Makes a repetition have its effect once.", examples=["3f0c7e0a-5b0e-4a53"]
    ),
]
OptionalKey = Annotated[
    Annotated[str, _KEY] | None,
    Header(
        alias="Idempotency-Key",
        description="Makes a repetition safe: the same key, content and person give the same answer.",
        examples=["3f0c7e0a-5b0e-4a53"],
    ),
]
_VERSION = re.compile(r'(?:W/)?"?([0-9]{1,9})(?:-[0-9a-f]{16})?"?')
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The version that was read: its ETag. 428 without it.",
        examples=['"7"'],
        json_schema_extra={"pattern": f"^{_VERSION.pattern}$"},
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="The ETag of what was read: 304 as long as it has not changed.",
        examples=['"3"'],
    ),
]
CaseId = Annotated[UUID, Path(description="The case's id.")]
MediaId = Annotated[UploadId, Path(description="The upload's id.")]


Cursor = Annotated[
    str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_.:=+-]+$", description="`next` of the page before.")
]
HistoryAfter = Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before.")]
PageSize = Annotated[int, Query(ge=1, le=100)]
LongPageSize = Annotated[int, Query(ge=1, le=500)]
_KEY_FORM = re.compile(r"[\x21-\x7e]{8,100}")


def is_key(text: str) -> bool:
    """Whether this can be an Idempotency-Key: 8 to 100 visible ASCII characters."""
    return _KEY_FORM.fullmatch(text) is not None


def version_of(if_match: str | None) -> int:
    """The version in If-Match; VersionNeeded without one."""
    if if_match is None or not if_match.strip():
        raise VersionNeeded
    match = _VERSION.fullmatch(if_match.strip())
    if match is None:
        raise InvalidField(fields=[{"field": "If-Match", "reason": "int_parsing"}])
    return int(match.group(1))


def key_or_new(key: str | None) -> str:
    """The caller's key, or one that nobody will repeat."""
    return key or uuid4().hex


# --- answers ---


def answer(model: BaseModel, status: int = 200, **headers: str) -> Response:
    """A JSON answer that is not stored by anybody on the way."""
    sent = {"cache-control": "no-store", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Response(model.model_dump_json().encode(), status, sent, JSON)


def conditional_answer(
    content: bytes, etag: str, if_none_match: str | None, media_type: str, headers: Mapping[str, str]
) -> Response:
    """The content with its ETag; 304 without it where the caller has it already (RFC 9110, 13.1.2). `etag`: without quotes."""
    sent = {"etag": f'"{etag}"', **headers}
    given = matching(if_none_match or "", sent["etag"])
    if given is not None:
        return Response(status_code=304, headers=sent | {"etag": given})
    return Response(content, 200, sent, media_type)


async def relay(container: AppContainer, service: str, method: str, call: ServiceRequest) -> Response:
    """The answer of a service passed on as it came, unread."""
    raw = await container.rabbit.call_raw(service, method, call)
    return Response(raw.json, 200, {"cache-control": "no-store"}, JSON)


async def relay_case(
    container: AppContainer, method: str, call: ServiceRequest, case_id: UUID, language: Language
) -> Response:
    """A case for staff as tracking answers it, read no further than to say how its commands are given; with its ETag. A
    StaleVersion has the case in it."""
    try:
        raw = await container.rabbit.call_raw("tracking", method, call)
    except StaleVersion as error:
        if "case" in error.params:
            error.params["case"] = container.command_forms.completed(error.params["case"], case_id, language)
        raise
    content = container.command_forms.complete(raw.json, case_id, language)
    return Response(content, 200, {"cache-control": "no-store", "etag": f'"{raw.version}"'}, JSON)
