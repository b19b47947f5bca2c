"""Who of the staff looks at a case or edits it now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from contracts.presence import CasePresence, PresenceState
from contracts.tracking import GetCaseAudience
from gateway.api.dependencies import CaseId, ContainerDep, StaffDep, answer
from gateway.api.fields import Body, example
from gateway.api.openapi_responses import problems
from gateway.live.presence import RENEW_SECONDS

router = APIRouter(tags=["cases"])

Tab = Annotated[
    str,
    Query(
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="Which of one's tabs, by a name of its own; left out, there is one.",
    ),
]


class PresenceBody(Body):
    """`state`: whether one only looks at the case, or has begun to change something about it."""

    state: PresenceState
    model_config = example(state="editing")


@router.put(
    "/cases/{case_id}/presence",
    operation_id="notePresence",
    summary="I have this case before me",
    description=f"To be repeated every {RENEW_SECONDS} seconds (`renew_in`) while it is so; it ends by itself after "
    "`expires_in`. Told to the staff who may know of the case, by `presence.changed` on their streams, and to nobody else. It "
    "holds up nobody: what somebody else saved meanwhile is found out by If-Match.",
    response_model=CasePresence,
    responses=problems(401, 403, 404, body=True),
)
async def note(
    case_id: CaseId, body: PresenceBody, container: ContainerDep, signed_in: StaffDep, tab: Tab = "1"
) -> Response:
    request = GetCaseAudience(actor=signed_in.actor, case_id=case_id)
    return answer(await container.presence.note(signed_in.caller, request, tab, body.state))


@router.get(
    "/cases/{case_id}/presence",
    operation_id="getPresence",
    summary="Who has this case before them now",
    description="Oneself included. A gateway that was just started knows of everybody within the time of a renewal.",
    response_model=CasePresence,
    responses=problems(401, 403, 404, 422),
)
async def read(case_id: CaseId, container: ContainerDep, signed_in: StaffDep) -> Response:
    return answer(await container.presence.read(GetCaseAudience(actor=signed_in.actor, case_id=case_id)))


@router.delete(
    "/cases/{case_id}/presence",
    operation_id="endPresence",
    summary="I have left this case",
    description="In this tab; without it the presence ends by itself.",
    response_model=CasePresence,
    responses=problems(401, 403, 404, 422),
)
async def end(case_id: CaseId, container: ContainerDep, signed_in: StaffDep, tab: Tab = "1") -> Response:
    request = GetCaseAudience(actor=signed_in.actor, case_id=case_id)
    return answer(await container.presence.note(signed_in.caller, request, tab, None))
