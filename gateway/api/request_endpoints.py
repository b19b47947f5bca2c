"""Operations that put one request to one service and answer what it answers: one entry is the route, its OpenAPI operation,
who may send it, and the RPC.

    RequestEndpoint("GET /rooms", "listRooms", "The rooms for visits", "Closed ones last.", STAFF, Rpc(…))

`register_requests(router, …)` in the area's `endpoints.py` adds them.

Commands on a case have a registry of their own, `gateway.api.case_commands`. An operation that does more than ask is a function
with FastAPI's decorator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from inspect import cleandoc
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from contracts.base import Request
from contracts.errors import InvalidField, NotAllowed
from contracts.vocabulary import Language, Role
from gateway.api.dependencies import (
    AdministratorDep,
    BearerDep,
    CitizenDep,
    ContainerDep,
    Cursor,
    HistoryAfter,
    IdempotencyKey,
    IfMatch,
    InSessionDep,
    LongPageSize,
    PageSize,
    PersonDep,
    SignedInDep,
    StaffDep,
    StaffInSessionDep,
    answer,
    version_of,
)
from gateway.api.fields import Body, NothingBody
from gateway.api.openapi_responses import answers, problems
from gateway.api.signatures import parameter, path_parameters, with_signature
from gateway.container import AppContainer

_REQUIRED: Any = ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may send a request. `dependency`: finds them, as a value with `request_fields`; `errors`: statuses for all others.
    `roles`: staff without any of them are NotAllowed."""

    dependency: Any
    errors: tuple[int, ...]
    roles: frozenset[Role] = frozenset()


STAFF = Sender(StaffDep, (401, 403))
ADMINISTRATOR = Sender(AdministratorDep, (401, 403))
CITIZEN = Sender(CitizenDep, (401, 403))
IN_SESSION = Sender(InSessionDep, (401,))
"""Whoever is signed in, about their own account: the request has `session_id`, too."""
STAFF_IN_SESSION = Sender(StaffInSessionDep, (401, 403))
BEARER = Sender(BearerDep, (404,))
"""Whoever holds a tracking code."""
SIGNED_IN = Sender(SignedInDep, (401,))
"""A citizen or a member of staff."""
PERSON = Sender(PersonDep, (401, 404))
"""Either of the two."""


def staff_with(*roles: Role) -> Sender:
    """Staff with one of these roles."""
    return Sender(StaffDep, (401, 403), frozenset(roles))


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of the path or the query that is a field of the request. `name`: the field's, where it is another."""

    annotation: Any
    default: Any = _REQUIRED
    name: str | None = None


PAGE: Mapping[str, Field] = {"after": Field(Cursor, None), "limit": Field(PageSize, 50)}
"""The `parameters` of a list that is answered by pages."""
LONG_PAGE: Mapping[str, Field] = {"after": Field(Cursor, None), "limit": Field(LongPageSize, 500)}
"""The same of one whose first answer has always been long."""
HISTORY_PAGE: Mapping[str, Field] = {"after": Field(HistoryAfter, None), "limit": Field(PageSize, 50)}
"""The same of a history, whose cursor is a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """How it is answered when it is done; 204 has no content.

    `etag`: the ETag is the answer's `version`. `location`: the address of what was made, with fields of the answer in braces,
    and what the document says of it.
    """

    status: int = 200
    description: str | None = None
    etag: bool = False
    location: tuple[str, str] | None = None

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """For the OpenAPI document; nothing where the framework says enough."""
        if self.description is None:
            return {}
        headers = {"ETag": "Its version"} if self.etag else {}
        return answers(
            self.status, self.description, **headers, **({"Location": self.location[1]} if self.location else {})
        )

    def response(self, model: Any) -> Response:
        """The answer with its headers."""
        if self.status == 204:
            return Response(status_code=204)
        headers = {"etag": f'"{model.version}"'} if self.etag else {}
        if self.location:
            headers["location"] = self.location[0].format(**dict(model))
        return answer(model, self.status, **headers)


@dataclass(frozen=True, slots=True)
class Rpc:
    """What is called, `service.method`, with which request, and what it answers."""

    name: str
    request: type[Request]
    answer: type[BaseModel]


@dataclass(frozen=True, slots=True)
class View:
    """What a citizen reads of an answer: its class, and what makes it of the answer in their language."""

    model: type[BaseModel]
    of: Callable[[Any, Language], BaseModel]


@dataclass(frozen=True, slots=True)
class RequestEndpoint:
    """One operation; `route`: its method, and its path below that of the router.

    The fields of its request come, by name, from: `sender` (`actor`; `code_hashes` of who holds a tracking code), the headers
    Idempotency-Key (`idempotency_key`) and If-Match (`expected_version`), `parameters` of the path and the query, `query` and
    `body` (their `request_fields()`). TypeError when one that is needed comes from nowhere, or one is given that there is not.

    `body` NothingBody: none is sent, or `{}`. `errors`: statuses of what the service refuses, beside those that follow from the
    rest; TypeError for one of these.
    """

    route: str
    operation_id: str
    summary: str
    description: str
    sender: Sender
    rpc: Rpc
    _: KW_ONLY
    parameters: Mapping[str, Field] = field(default_factory=dict)
    query: type[Body] | None = None
    body: type[Body] | None = None
    view: View | None = None
    success: Success = Success()
    errors: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        needed = {name for name, described in self.rpc.request.model_fields.items() if described.is_required()}
        given = {declared.name or name for name, declared in self.parameters.items()}
        given |= {
            name
            for name in ("actor", "session_id", "idempotency_key", "expected_version")
            if name in self.rpc.request.model_fields
        }
        for source in (self.query, self.body):
            given |= set(source.model_fields) if source else set()
        unnamed = set(path_parameters(self.route)) - self.parameters.keys()
        if needed - given or given - self.rpc.request.model_fields.keys() or unnamed:
            raise TypeError(f"{self.operation_id} gives {sorted(given)}; its request needs {sorted(needed)}")
        if repeated := self._implied().intersection(self.errors):
            raise TypeError(f"{self.operation_id} names {sorted(repeated)}, which follow from the rest")

    def shown(self) -> type[BaseModel] | None:
        """What is answered, for the OpenAPI document."""
        if self.success.status == 204:
            return None
        return self.view.model if self.view else self.rpc.answer

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """For the OpenAPI document."""
        statuses = self._implied() | {*self.errors}
        return {**problems(*statuses, body=self.body is not None), **self.success.responses()}

    def _implied(self) -> set[int]:
        """The statuses that follow from who may send it and what it takes."""
        statuses = {*self.sender.errors}
        if self.parameters or self.query:
            statuses.add(422)
        if path_parameters(self.route):
            statuses.add(404)
        if "expected_version" in self.rpc.request.model_fields:
            statuses |= {412, 428}
        if "idempotency_key" in self.rpc.request.model_fields:
            statuses |= {409, 422}
        return statuses


def register_requests(router: APIRouter, *endpoints: RequestEndpoint) -> None:
    """Adds a route for each entry, in their order."""
    for endpoint in endpoints:
        method, _, path = endpoint.route.partition(" ")
        router.add_api_route(
            path,
            _handler(endpoint),
            methods=[method],
            tags=list(endpoint.tags) or None,
            operation_id=endpoint.operation_id,
            summary=endpoint.summary,
            description=cleandoc(endpoint.description),
            status_code=endpoint.success.status,
            response_model=endpoint.shown(),
            responses=endpoint.responses(),
        )


def _handler(endpoint: RequestEndpoint) -> Callable[..., Any]:
    service, _, method = endpoint.rpc.name.partition(".")
    fields = endpoint.rpc.request.model_fields

    async def handle(
        *,
        container: AppContainer,
        sender: Any,
        body: Body | None = None,
        query: Body | None = None,
        **values: Any,
    ) -> Response:
        if endpoint.sender.roles and not endpoint.sender.roles & sender.caller.roles:
            raise NotAllowed
        given = sender.request_fields
        if "expected_version" in fields:
            given["expected_version"] = version_of(values.pop("if_match"))
        for name, value in values.items():
            given[endpoint.parameters[name].name or name if name in endpoint.parameters else name] = value
        for source in (query, body):
            given |= source.request_fields() if source else {}
        request = endpoint.rpc.request(**given)
        try:
            reply = await container.rabbit.call(service, method, request, endpoint.rpc.answer)
        except InvalidField as error:
            raise InvalidField(
                error.params, fields=[_as_sent(field) for field in error.params.get("fields", [])]
            ) from None
        return endpoint.success.response(endpoint.view.of(reply, sender.visitor.language) if endpoint.view else reply)

    def _as_sent(field: Mapping[str, Any]) -> dict[str, Any]:
        """With the name that the caller knows, of a parameter or field that the request calls otherwise."""
        first, dot, rest = str(field.get("field", "")).partition(".")
        return {**field, "field": f"{sent_names.get(first, first)}{dot}{rest}"}

    handle.roles = endpoint.sender.roles  # type: ignore[attr-defined]  # for the reference of who may send what
    sent_names = {declared.name: name for name, declared in endpoint.parameters.items() if declared.name}
    declared = [
        parameter(name, declared.annotation, *(() if declared.default is _REQUIRED else (declared.default,)))
        for name, declared in endpoint.parameters.items()
    ]
    if endpoint.query is not None:
        declared.append(parameter("query", Annotated[endpoint.query, Query()]))
    if endpoint.body is NothingBody:
        declared.append(parameter("body", NothingBody | None, None))
    elif endpoint.body is not None:
        declared.append(parameter("body", endpoint.body))
    if "idempotency_key" in fields:
        declared.append(parameter("idempotency_key", IdempotencyKey))
    if "expected_version" in fields:
        declared.append(parameter("if_match", IfMatch, None))
    return with_signature(
        handle,
        endpoint.operation_id,
        [parameter("container", ContainerDep), parameter("sender", endpoint.sender.dependency), *declared],
    )
