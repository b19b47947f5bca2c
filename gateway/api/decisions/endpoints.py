"""The decision that needs four eyes, and the follow-up of what it recommends to units."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.base import UnitCode
from contracts.tracking import (
    Approve,
    FollowedRecommendation,
    ListRecommendations,
    Propose,
    Recommendations,
    ReportRecommendation,
    ReturnProposal,
    SettleRecommendation,
    StaffCase,
)
from gateway.api.cases.endpoints import COMMAND, execute
from gateway.api.decisions.bodies import DecisionBody, ReportBody, ReturnedBody, SettlementBody
from gateway.api.dependencies import CaseId, ContainerDep, IdempotencyKey, IfMatch, StaffDep, answer
from gateway.api.fields import NothingBody
from gateway.api.openapi_responses import problems

router = APIRouter(tags=["decisions"])


@router.post(
    "/cases/{case_id}/proposal",
    operation_id="proposeDecision",
    summary="Propose the decision",
    response_model=StaffCase,
    responses=COMMAND,
)
async def propose(
    case_id: CaseId,
    body: DecisionBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """By the inspector, for the head to approve. The citizen goes on seeing that it is being investigated."""
    container.catalogue_cache.check_offered("root_causes", container.catalogue_cache.root_causes, body.root_causes)
    command = Propose(**body.model_dump())
    return await execute(container, signed_in, case_id, if_match, idempotency_key, command)


@router.post(
    "/cases/{case_id}/approval",
    operation_id="approveDecision",
    summary="Approve the proposed decision",
    response_model=StaffCase,
    responses=COMMAND,
)
async def approve(
    case_id: CaseId,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
    body: NothingBody | None = None,
) -> Response:
    """By a head who did not propose it. The citizen is told the outcome and its reasons."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, Approve())


@router.post(
    "/cases/{case_id}/return",
    operation_id="returnDecision",
    summary="Return the proposed decision",
    response_model=StaffCase,
    responses=COMMAND,
)
async def return_proposal(
    case_id: CaseId,
    body: ReturnedBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """To the inspector, with what is still wanted."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, ReturnProposal(reason=body.reason))


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


@router.post(
    "/cases/{case_id}/recommendations/{recommendation_id}/settlement",
    operation_id="settleRecommendation",
    summary="Agree with the unit's report, or send it back",
    response_model=StaffCase,
    responses=COMMAND,
)
async def settle(
    case_id: CaseId,
    recommendation_id: UUID,
    body: SettlementBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """By the inspector of the case or the head."""
    command = SettleRecommendation(recommendation_id=recommendation_id, accepted=body.accepted, reason=body.reason)
    return await execute(container, signed_in, case_id, if_match, idempotency_key, command)
