"""The decision that needs four eyes, and the follow-up of what it recommends to units."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.base import UnitCode
from contracts.tracking import FollowedRecommendation, ListRecommendations, Recommendations, ReportRecommendation
from gateway.api.case_commands import register_staff_commands
from gateway.api.decisions.bodies import ReportBody
from gateway.api.decisions.commands import STAFF_COMMANDS
from gateway.api.dependencies import ContainerDep, IdempotencyKey, StaffDep, answer
from gateway.api.openapi_responses import problems

router = APIRouter(tags=["decisions"])
register_staff_commands(router, STAFF_COMMANDS)


@router.get(
    "/recommendations",
    operation_id="listRecommendations",
    summary="What was recommended to units",
    response_model=Recommendations,
    responses=problems(401, 403, 422),
)
async def list_recommendations(
    container: ContainerDep, signed_in: StaffDep, unit: UnitCode | None = None, open_only: bool = True
) -> Response:
    """The soonest due first. A liaison gets those to the unit, with nothing of their cases. `unit` takes all below it."""
    request = ListRecommendations(actor=signed_in.actor, unit=unit, open_only=open_only)
    return answer(await container.rabbit.ask("tracking", "list_recommendations", request, Recommendations))


@router.post(
    "/recommendations/{recommendation_id}/report",
    operation_id="reportRecommendation",
    summary="Report for the unit",
    response_model=FollowedRecommendation,
    responses=problems(401, 403, 404, 409, body=True),
)
async def report(
    recommendation_id: UUID,
    body: ReportBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Done, or declined with its reason. By the unit's liaison; the office has the last word."""
    request = ReportRecommendation(
        actor=signed_in.actor,
        recommendation_id=recommendation_id,
        done=body.done,
        reason=body.reason,
        idempotency_key=idempotency_key,
    )
    return answer(await container.rabbit.ask("tracking", "report_recommendation", request, FollowedRecommendation))
