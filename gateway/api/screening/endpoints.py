"""The screener's and the head's lists: what is suggested, who has how much in hand, many cases at once."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from contracts import screening
from contracts.vocabulary import Role
from gateway.api.dependencies import CaseId, ContainerDep, IdempotencyKey, StaffDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.request_endpoints import STAFF, Field, RequestEndpoint, Rpc, register_requests, staff_with
from gateway.api.screening.bodies import AssignmentsBody, HandOverBody, SkillsBody

router = APIRouter(tags=["screening"])


register_requests(
    router,
    RequestEndpoint(
        "GET /cases/{case_id}/suggestions",
        "suggestScreening",
        "What earlier cases suggest",
        "A unit, a ground and an urgency with what they are based on, and open cases that may be "
        "about the same matter.",
        STAFF,
        Rpc("tracking.suggest_screening", screening.SuggestScreening, screening.Suggestions),
        parameters={"case_id": Field(CaseId)},
    ),
)


@router.post(
    "/assignments",
    operation_id="assignCases",
    summary="Assign many cases",
    response_model=screening.Assigned,
    responses=problems(401, 403, 409, body=True),
)
async def assign_many(
    body: AssignmentsBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """Each by itself: one that cannot be assigned comes back with the code of its error and stops no other."""
    request = screening.AssignMany(
        actor=signed_in.actor,
        cases=[screening.CaseSeen(case_id=seen.case_id, expected_version=seen.expected_version) for seen in body.cases],
        inspector=body.inspector,
        idempotency_key=idempotency_key,
    )
    try:
        return answer(await container.rabbit.call("tracking", "assign_many", request, screening.Assigned))
    finally:
        for seen in body.cases:
            container.case_cache.invalidate(seen.case_id)


register_requests(
    router,
    RequestEndpoint(
        "POST /handovers",
        "handOverCases",
        "Hand over all open cases of an inspector",
        "In one step, of the cases I may see.",
        STAFF,
        Rpc("tracking.hand_over", screening.HandOver, screening.Assigned),
        body=HandOverBody,
    ),
    RequestEndpoint(
        "GET /inspectors",
        "listInspectors",
        "Who is skilled in what, and has how much in hand",
        "Those with the fewest open cases first.",
        STAFF,
        Rpc("tracking.list_skills", screening.ListSkills, screening.Skills),
        errors=(422,),
    ),
    RequestEndpoint(
        "GET /workload",
        "showWorkload",
        "How much each inspector has in hand, and how late it is",
        "By a head, of the cases they may see. Those with most late cases first; whoever is no inspector any more is listed "
        "while cases are in their hands.",
        staff_with(Role.HEAD),
        Rpc("tracking.show_workload", screening.ShowWorkload, screening.Workload),
    ),
    RequestEndpoint(
        "PUT /inspectors/{inspector}/skills",
        "setSkills",
        "Say what an inspector is skilled in",
        "By a head. Grounds that are not in the catalogue are passed over.",
        STAFF,
        Rpc("tracking.set_skills", screening.SetSkills, screening.Skills),
        parameters={"inspector": Field(UUID)},
        body=SkillsBody,
    ),
)
