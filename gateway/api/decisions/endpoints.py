"""The decision that needs four eyes, and the follow-up of what it recommends to units."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from contracts import tracking
from contracts.base import UnitCode
from contracts.errors import NotAllowed
from contracts.vocabulary import Role
from gateway.api.case_commands import register_staff_commands
from gateway.api.decisions.bodies import DecidedCase, DecidedGroup, GroupDecisionBody, ReportBody
from gateway.api.decisions.commands import STAFF_COMMANDS
from gateway.api.dependencies import ContainerDep, IdempotencyKey, StaffDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.request_endpoints import LONG_PAGE, STAFF, Field, RequestEndpoint, Rpc, View, register_requests
from gateway.cases.command_forms import CommandForm
from gateway.cases.group_decisions import CaseToDecide
from gateway.cases.unit_views import FollowedRecommendationView, RecommendationsView, UnitViews
from gateway.edge.problems import Problem, problem_details

router = APIRouter(tags=["decisions"])
register_staff_commands(router, STAFF_COMMANDS)

_VIEWS = UnitViews(
    {"report": CommandForm("report_recommendation", "/v1/recommendations/{recommendation_id}/report", ReportBody)}
)
_DECIDE = frozenset({Role.INSPECTOR, Role.HEAD, Role.SUBSTITUTE})


@router.post(
    "/decisions",
    operation_id="decideCases",
    summary="One decision for many cases",
    response_model=DecidedGroup,
    responses=problems(401, 403, 409, body=True),
)
async def decide_cases(
    body: GroupDecisionBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """Each case by itself, as its own decision would be; where its kind needs four eyes, the decision is proposed. Each citizen
    is told, and may object. A case that cannot be decided comes back with its problem and stops no other. Sent again with its
    key, the request goes on where it was, and decides each case once."""
    if not signed_in.actor.roles & _DECIDE:
        raise NotAllowed
    decision, catalogue = tracking.Decide(**body.decision.model_dump()), container.catalogue_cache
    catalogue.check_offered("decision.root_causes", catalogue.root_causes, decision.root_causes)
    cases = [CaseToDecide(case.case_id, case.expected_version) for case in body.cases]
    results = await container.group_decisions.decide(signed_in.actor, decision, cases, idempotency_key)
    language = signed_in.visitor.language
    items = [
        DecidedCase(
            case_id=result.case_id,
            result=result.result,
            version=result.version,
            problem=Problem(**problem_details(result.error, language)) if result.error else None,
        )
        for result in results
    ]
    return answer(DecidedGroup(items=items))


register_requests(
    router,
    RequestEndpoint(
        "GET /recommendations",
        "listRecommendations",
        "What was recommended to units",
        "The soonest due first. A liaison gets those to the unit, with nothing of their cases. `unit` takes "
        "all below it. `next` is the `after` of the following page.",
        STAFF,
        Rpc("tracking.list_recommendations", tracking.ListRecommendations, tracking.Recommendations),
        parameters={"unit": Field(UnitCode | None, None), "open_only": Field(bool, True), **LONG_PAGE},
        view=View(RecommendationsView, _VIEWS.recommendations),
    ),
    RequestEndpoint(
        "POST /recommendations/{recommendation_id}/report",
        "reportRecommendation",
        "Report for the unit",
        "Done, or declined with its reason. By the unit's liaison; the office has the last word.",
        STAFF,
        Rpc("tracking.report_recommendation", tracking.ReportRecommendation, tracking.FollowedRecommendation),
        parameters={"recommendation_id": Field(UUID)},
        body=ReportBody,
        view=View(FollowedRecommendationView, _VIEWS.recommendation),
    ),
)
