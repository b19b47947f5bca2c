"""Commands on a case: one entry is the route, its OpenAPI operation and what is sent to tracking.

An area keeps its entries in `commands.py`, and its `endpoints.py` registers them. A `StaffCommandEndpoint` with `path="notes"` is
POST /v1/cases/{case_id}/notes. A `CitizenCommandEndpoint` is two routes: by the tracking code, and of a signed-in citizen.

Who may give a command, and at which stage, tracking decides; the gateway knows only who sends the request.

A body is not the command itself: it has no `type`, since the path says it, and it is stricter about text (no control
characters, something that can be seen), since a stranger sends it. Its fields are the command's, which is checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError

from contracts.gateway import Actor
from contracts.tracking import (
    AddCheck,
    AddCoHandler,
    AddEvidence,
    AddNote,
    AnswerConsultation,
    CitizenCommand,
    ConsultColleague,
    EndConsultation,
    ExecuteCommand,
    LinkCase,
    Propose,
    Remind,
    RemoveCoHandler,
    ReturnProposal,
    StaffCommand,
    TickCheck,
)
from gateway.api.dependencies import (
    Bearer,
    BearerDep,
    CaseId,
    CitizenDep,
    ContainerDep,
    IdempotencyKey,
    IfMatch,
    OptionalKey,
    SignedIn,
    StaffDep,
    answer,
    container_of,
    is_key,
    key_or_new,
    relay_case,
    staff_actor,
    version_of,
)
from gateway.api.fields import Body, NothingBody
from gateway.api.openapi_responses import CASE, directly, problems
from gateway.api.signatures import parameter, path_parameters, with_signature
from gateway.cases.command_forms import CommandForm, StaffCase
from gateway.cases.views import CaseView
from gateway.container import AppContainer
from gateway.edge.body_limits import parsed_json
from gateway.edge.fast_path import DirectHandler
from gateway.submissions.catalogue_cache import CatalogueCache

_STAFF_RESPONSES = {**problems(401, 403, 404, 409, 412, 428, body=True), **CASE}
_BY_CODE_RESPONSES = problems(404, 409, body=True)
_SIGNED_IN_RESPONSES = problems(401, 403, 404, 409, body=True)


_OFFICES_OWN = (
    *(AddNote, AddEvidence, Remind, AddCheck, TickCheck, LinkCase),
    *(AddCoHandler, RemoveCoHandler, ConsultColleague, AnswerConsultation, EndConsultation),
    *(Propose, ReturnProposal),
)
"""Commands that the citizen does not notice: the cached answer to their code stays, so that not even the time that the next one
takes tells of them. Whatever they bring about that is noticed comes as an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCommandEndpoint:
    """POST /v1/cases/{case_id}/`path`, with If-Match and Idempotency-Key; it answers the case after the command.

    Parameters in `path` and the fields of `body` are the fields of `command`, by name; `to_command` makes the command of a
    body whose fields have other names. `body` None: none is sent, or `{}`. `prepare`: checks a command against the
    catalogue and may complete it; InvalidField for what the administrator does not offer.
    """

    path: str
    operation_id: str
    summary: str
    description: str
    command: type[StaffCommand]
    body: type[Body] | None = None
    to_command: Callable[[Any], StaffCommand] | None = None
    prepare: Callable[[Any, CatalogueCache], StaffCommand] | None = None

    def __post_init__(self) -> None:
        if self.to_command is None:
            _check_fields(self.operation_id, self.command, self.body, path_parameters(self.path))

    def command_of(self, body: Body | None, path_values: dict[str, Any]) -> StaffCommand:
        """The command that a request gives."""
        return self.to_command(body) if self.to_command else self.command(**path_values, **_values(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenCommandEndpoint:
    """POST /v1/tracking/`path` as `operation_id`ByCode, and POST /v1/me/cases/{case_id}/`path` as `operation_id`.

    The fields of `body` are the fields of `command`, by name. `body` None: none is sent, or `{}`.
    """

    path: str
    operation_id: str
    summary: str
    description: str
    command: type[CitizenCommand]
    body: type[Body] | None = None

    def __post_init__(self) -> None:
        _check_fields(self.operation_id, self.command, self.body, [])

    def command_of(self, body: Body | None) -> CitizenCommand:
        """The command that a request gives."""
        return self.command(**_values(body))


def register_staff_commands(router: APIRouter, endpoints: Iterable[StaffCommandEndpoint]) -> None:
    """Adds a route for each entry."""
    for endpoint in endpoints:
        router.add_api_route(
            f"/cases/{{case_id}}/{endpoint.path}",
            _for_staff(endpoint),
            methods=["POST"],
            operation_id=endpoint.operation_id,
            summary=endpoint.summary,
            description=endpoint.description,
            response_model=StaffCase,
            responses=_STAFF_RESPONSES,
        )
        _remember(router, "staff", endpoint)


def register_citizen_commands(router: APIRouter, endpoints: Sequence[CitizenCommandEndpoint]) -> None:
    """Adds two routes for each entry."""
    for endpoint in endpoints:
        router.add_api_route(
            f"/tracking/{endpoint.path}",
            _by_code(endpoint),
            methods=["POST"],
            tags=["tracking"],
            operation_id=f"{endpoint.operation_id}ByCode",
            summary=endpoint.summary,
            description=endpoint.description,
            response_model=CaseView,
            responses=_BY_CODE_RESPONSES,
        )
        _remember(router, "bearer", endpoint)
    for endpoint in endpoints:
        router.add_api_route(
            f"/me/cases/{{case_id}}/{endpoint.path}",
            _for_signed_in(endpoint),
            methods=["POST"],
            tags=["me"],
            operation_id=endpoint.operation_id,
            summary=endpoint.summary,
            description=endpoint.description,
            response_model=CaseView,
            responses=_SIGNED_IN_RESPONSES,
        )
        _remember(router, "citizen", endpoint)


def command_forms(router: APIRouter, prefix: str) -> list[tuple[str, CommandForm]]:
    """Who gives each command that was registered here, and how: for the views of cases."""
    return [
        (audience, replace(form, path=prefix + form.path))
        for route in router.routes
        for audience, form in getattr(getattr(route, "endpoint", None), "command_form", ())
    ]


def _remember(router: APIRouter, audience: str, endpoint: StaffCommandEndpoint | CitizenCommandEndpoint) -> None:
    """The command's form, at the endpoint of the route that was added last."""
    route: Any = router.routes[-1]
    name = str(endpoint.command.model_fields["type"].default)
    form = CommandForm(name, route.path, endpoint.body, path_parameters(endpoint.path))
    route.endpoint.command_form = [(audience, form)]


def _for_staff(endpoint: StaffCommandEndpoint) -> Callable[..., Any]:
    async def handle(
        *,
        case_id: UUID,
        body: Body | None,
        container: AppContainer,
        signed_in: SignedIn,
        idempotency_key: str,
        if_match: str | None,
        **path_values: Any,
    ) -> Response:
        command = endpoint.command_of(body, path_values)
        return await _execute(endpoint, container, signed_in.actor, case_id, command, idempotency_key, if_match)

    if not path_parameters(endpoint.path):
        directly(_without_framework(endpoint))(handle)

    fields = endpoint.command.model_fields
    return with_signature(
        handle,
        endpoint.operation_id,
        [
            parameter("case_id", CaseId),
            *(parameter(name, fields[name].annotation) for name in path_parameters(endpoint.path)),
            _body(endpoint),
            parameter("container", ContainerDep),
            parameter("signed_in", StaffDep),
            parameter("idempotency_key", IdempotencyKey),
            parameter("if_match", IfMatch, None),
        ],
    )


def _without_framework(endpoint: StaffCommandEndpoint) -> DirectHandler:
    """The same request without FastAPI, which takes longer than all else that the gateway does for it. Whatever is not plainly
    right is left to FastAPI, which says what is wrong with it."""

    async def handle(request: Request) -> Response | None:
        container = container_of(request)
        actor = staff_actor(container, request)
        keys, versions = request.headers.getlist("idempotency-key"), request.headers.getlist("if-match")
        if len(keys) != 1 or not is_key(keys[0]) or len(versions) > 1:
            return None
        sent = parsed_json(request)
        try:
            body = (endpoint.body or NothingBody).model_validate({} if sent is None and endpoint.body is None else sent)
        except ValidationError:
            return None
        command = endpoint.command_of(body, {})
        case_id = UUID(request.path_params["case_id"])
        return await _execute(endpoint, container, actor, case_id, command, keys[0], *versions)

    return handle


async def _execute(
    endpoint: StaffCommandEndpoint,
    container: AppContainer,
    actor: Actor,
    case_id: UUID,
    command: StaffCommand,
    idempotency_key: str,
    if_match: str | None = None,
) -> Response:
    if endpoint.prepare is not None:
        command = endpoint.prepare(command, container.catalogue_cache)
    request = ExecuteCommand(
        actor=actor,
        case_id=case_id,
        expected_version=version_of(if_match),
        idempotency_key=idempotency_key,
        command=command,
    )
    try:
        return await relay_case(container, "execute", request, case_id, actor.language)
    finally:
        if not isinstance(command, _OFFICES_OWN):
            container.case_cache.invalidate(case_id)


def _by_code(endpoint: CitizenCommandEndpoint) -> Callable[..., Any]:
    async def handle(
        *, body: Body | None, container: AppContainer, bearer: Bearer, idempotency_key: str | None
    ) -> Response:
        command, key = endpoint.command_of(body), key_or_new(idempotency_key)
        return answer(await container.citizen_cases.execute(bearer.actor, command, key, code_hashes=bearer.code_hashes))

    return with_signature(
        handle,
        f"{endpoint.operation_id}ByCode",
        [
            _body(endpoint),
            parameter("container", ContainerDep),
            parameter("bearer", BearerDep),
            parameter("idempotency_key", OptionalKey, None),
        ],
    )


def _for_signed_in(endpoint: CitizenCommandEndpoint) -> Callable[..., Any]:
    async def handle(
        *, case_id: UUID, body: Body | None, container: AppContainer, signed_in: SignedIn, idempotency_key: str | None
    ) -> Response:
        command, key = endpoint.command_of(body), key_or_new(idempotency_key)
        case = await container.citizen_cases.execute(signed_in.actor, command, key, case_id=case_id)
        return answer(case, etag=f'"{case.version}"')

    return with_signature(
        handle,
        endpoint.operation_id,
        [
            parameter("case_id", CaseId),
            _body(endpoint),
            parameter("container", ContainerDep),
            parameter("signed_in", CitizenDep),
            parameter("idempotency_key", OptionalKey, None),
        ],
    )


def _body(endpoint: StaffCommandEndpoint | CitizenCommandEndpoint) -> Parameter:
    if endpoint.body is None:
        return parameter("body", NothingBody | None, None)
    return parameter("body", endpoint.body)


def _values(body: Body | None) -> dict[str, Any]:
    return {} if body is None else body.model_dump()


def _check_fields(operation_id: str, command: type[BaseModel], body: type[Body] | None, path: list[str]) -> None:
    given = {*path, *(body.model_fields if body else ())}
    expected = set(command.model_fields) - {"type"}
    if given != expected:
        raise TypeError(f"{operation_id} takes {sorted(given)}; its command has {sorted(expected)}")
