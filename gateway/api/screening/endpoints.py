"""The screener's and the head's lists: what is suggested, who has how much in hand, many cases at once."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.screening import (
    Assigned,
    AssignMany,
    CaseSeen,
    HandOver,
    ListSkills,
    SetSkills,
    Skills,
    Suggestions,
    SuggestScreening,
)
from gateway.api.dependencies import CaseId, ContainerDep, IdempotencyKey, StaffDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.screening.bodies import AssignmentsBody, HandOverBody, SkillsBody

router = APIRouter(tags=["screening"])


@router.get(
    "/cases/{case_id}/suggestions",
    operation_id="suggestScreening",
    summary="What earlier cases suggest",
    response_model=Suggestions,
    responses=problems(401, 403, 404, 422),
)
async def suggest(case_id: CaseId, container: ContainerDep, signed_in: StaffDep) -> Response:
    """A unit, a ground and an urgency with what they are based on, and open cases that may be about the same matter."""
    request = SuggestScreening(actor=signed_in.actor, case_id=case_id)
    return answer(await container.rabbit.ask("tracking", "suggest_screening", request, Suggestions))


@router.post(
    "/assignments",
    operation_id="assignCases",
    summary="Assign many cases",
    response_model=Assigned,
    responses=problems(401, 403, body=True),
)
async def assign_many(
    body: AssignmentsBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """Each by itself: one that cannot be assigned comes back with the code of its error and stops no other."""
    request = AssignMany(
        actor=signed_in.actor,
        cases=[CaseSeen(case_id=seen.case_id, expected_version=seen.expected_version) for seen in body.cases],
        inspector=body.inspector,
        idempotency_key=idempotency_key,
    )
    try:
        return answer(await container.rabbit.ask("tracking", "assign_many", request, Assigned))
    finally:
        for seen in body.cases:
            container.case_cache.invalidate(seen.case_id)


@router.post(
    "/handovers",
    operation_id="handOverCases",
    summary="Hand over all open cases of an inspector",
    response_model=Assigned,
    responses=problems(401, 403, body=True),
)
async def hand_over(
    body: HandOverBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """In one step, of the cases I may see."""
    request = HandOver(
        actor=signed_in.actor, leaver=body.leaver, inspector=body.inspector, idempotency_key=idempotency_key
    )
    return answer(await container.rabbit.ask("tracking", "hand_over", request, Assigned))


@router.get(
    "/inspectors",
    operation_id="listInspectors",
    summary="Who is skilled in what, and has how much in hand",
    response_model=Skills,
    responses=problems(401, 403, 422),
)
async def inspectors(container: ContainerDep, signed_in: StaffDep) -> Response:
    """Those with the fewest open cases first."""
    return answer(await container.rabbit.ask("tracking", "list_skills", ListSkills(actor=signed_in.actor), Skills))


@router.put(
    "/inspectors/{inspector}/skills",
    operation_id="setSkills",
    summary="Say what an inspector is skilled in",
    response_model=Skills,
    responses=problems(401, 403, 404, body=True),
)
async def set_skills(inspector: UUID, body: SkillsBody, container: ContainerDep, signed_in: StaffDep) -> Response:
    """By a head. Grounds that are not in the catalogue are passed over."""
    request = SetSkills(actor=signed_in.actor, inspector=inspector, grounds=body.grounds)
    return answer(await container.rabbit.ask("tracking", "set_skills", request, Skills))
