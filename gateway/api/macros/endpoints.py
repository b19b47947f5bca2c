"""Macros: named sequences of commands with their texts, kept by a person or for a role."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from contracts import macros
from gateway.api.dependencies import (
    CaseId,
    ContainerDep,
    IdempotencyKey,
    IfMatch,
    SignedIn,
    StaffDep,
    answer,
    relay_case,
    version_of,
)
from gateway.api.macros.bodies import MacroBody
from gateway.api.openapi_responses import CASE, answers, problems
from gateway.api.request_endpoints import PAGE, STAFF, Field, RequestEndpoint, Rpc, Success, register_requests
from gateway.api.steps import step_of
from gateway.cases.command_forms import StaffCase
from gateway.container import AppContainer

router = APIRouter(tags=["macros"])

MacroId = Annotated[UUID, Path(description="The macro's id.")]
_MACRO = answers(200, "The macro", ETag="Its version")


register_requests(
    router,
    RequestEndpoint(
        "GET /macros",
        "listMacros",
        "Macros that I may run",
        "My own and those for my roles, the newest first; for a head and an administrator all that are for a role.",
        STAFF,
        Rpc("tracking.list_macros", macros.ListMacros, macros.MacroPage),
        parameters=PAGE,
    ),
    RequestEndpoint(
        "GET /macros/{macro_id}",
        "getMacro",
        "A macro",
        "404 also when it is not for me.",
        STAFF,
        Rpc("tracking.get_macro", macros.GetMacro, macros.Macro),
        parameters={"macro_id": Field(MacroId)},
        success=Success(description="The macro", etag=True),
    ),
    RequestEndpoint(
        "DELETE /macros/{macro_id}",
        "dropMacro",
        "Drop a macro",
        "My own, or as a head or an administrator one that is for others.",
        STAFF,
        Rpc("tracking.drop_macro", macros.DropMacro, macros.Dropped),
        parameters={"macro_id": Field(MacroId)},
        success=Success(status=204),
    ),
)


@router.post(
    "/macros",
    operation_id="keepMacro",
    summary="Keep a macro",
    status_code=201,
    response_model=macros.Macro,
    responses={
        **problems(401, 403, 409, body=True),
        **answers(201, "The macro", ETag="Its version", Location="Where it is"),
    },
)
async def keep(
    body: MacroBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """For myself, as who gives commands on cases; for others as a head or an administrator."""
    request = macros.KeepMacro(
        actor=signed_in.actor, idempotency_key=idempotency_key, **_fields(body, container, signed_in)
    )
    macro = await container.rabbit.call("tracking", "keep_macro", request, macros.Macro)
    return answer(macro, 201, etag=f'"{macro.version}"', location=f"/v1/macros/{macro.macro_id}")


@router.put(
    "/macros/{macro_id}",
    operation_id="changeMacro",
    summary="A macro as it is from now on",
    response_model=macros.Macro,
    responses={**problems(401, 403, 404, 409, 412, 428, body=True), **_MACRO},
)
async def change(
    macro_id: MacroId, body: MacroBody, container: ContainerDep, signed_in: StaffDep, if_match: IfMatch = None
) -> Response:
    """My own, or as a head or an administrator one that is for others."""
    request = macros.ChangeMacro(
        actor=signed_in.actor,
        macro_id=macro_id,
        expected_version=version_of(if_match),
        **_fields(body, container, signed_in),
    )
    macro = await container.rabbit.call("tracking", "change_macro", request, macros.Macro)
    return answer(macro, etag=f'"{macro.version}"')


@router.post(
    "/cases/{case_id}/macros/{macro_id}",
    operation_id="runMacro",
    summary="Run a macro on a case",
    response_model=StaffCase,
    responses={**problems(401, 403, 404, 409, 412, 422, 428), **CASE},
)
async def run(
    case_id: CaseId,
    macro_id: MacroId,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Its steps in their order, each judged as the command alone would be: all of them, or none. 409 `macro_step_refused` says
    which step cannot be done, and why. It answers the case after the last step."""
    request = macros.RunMacro(
        actor=signed_in.actor,
        case_id=case_id,
        macro_id=macro_id,
        expected_version=version_of(if_match),
        idempotency_key=idempotency_key,
    )
    try:
        return await relay_case(container, "run_macro", request, case_id, signed_in.actor.language)
    finally:
        container.case_cache.invalidate(case_id)


def _fields(body: MacroBody, container: AppContainer, signed_in: SignedIn) -> dict[str, object]:
    """The fields of a request that come from the body."""
    steps = [step_of(step, container.catalogue_cache, f"steps.{place}") for place, step in enumerate(body.steps)]
    return {"name": body.name, "steps": steps, "language": body.language, "audience": body.audience}
