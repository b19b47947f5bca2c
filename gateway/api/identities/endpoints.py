"""Opening a sealed identity: asked for with a reason, consented to by a custodian, opened on the record."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from contracts.errors import NotAllowed
from contracts.identities import (
    AskForIdentity,
    DecideIdentityRequest,
    IdentityRequest,
    IdentityRequests,
    ListIdentityRequests,
)
from contracts.intake import OpenedIdentity, OpenIdentity
from contracts.tracking import AuthorizeIdentity, IdentityGrant
from contracts.vocabulary import Role
from gateway.api.dependencies import CaseId, ContainerDep, Cursor, IdempotencyKey, PageSize, SignedIn, StaffDep, answer
from gateway.api.identities.bodies import IdentityDecisionBody, IdentityRequestBody, ReasonBody
from gateway.api.openapi_responses import problems

router = APIRouter(tags=["identities"])

RequestId = Annotated[UUID, Path(description="The request's id.")]


def _opener(signed_in: SignedIn) -> None:
    if not signed_in.caller.roles & {Role.HEAD, Role.CUSTODIAN}:
        raise NotAllowed


@router.post(
    "/cases/{case_id}/identity/requests",
    operation_id="askForIdentity",
    summary="Ask a custodian to let me open who filed this case",
    status_code=201,
    response_model=IdentityRequest,
    responses=problems(401, 403, 404, 409, body=True),
)
async def ask(
    case_id: CaseId,
    body: IdentityRequestBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
) -> Response:
    """For head and custodian. Once another custodian has consented, I may open it for so many `minutes`."""
    _opener(signed_in)
    request = AskForIdentity(
        actor=signed_in.actor,
        case_id=case_id,
        reason=body.reason,
        minutes=body.minutes,
        idempotency_key=idempotency_key,
    )
    return answer(await container.rabbit.ask("tracking", "ask_for_identity", request, IdentityRequest), 201)


@router.get(
    "/identity-requests",
    operation_id="listIdentityRequests",
    summary="Who asked to open an identity",
    response_model=IdentityRequests,
    responses=problems(401, 403, 422),
)
async def requests(
    container: ContainerDep,
    signed_in: StaffDep,
    waiting: Annotated[bool, Query(description="Only what nobody has decided.")] = False,
    after: Cursor = None,
    limit: PageSize = 50,
) -> Response:
    """To custodians all, to heads their own; none of cases about a unit they belong to. Newest first."""
    _opener(signed_in)
    request = ListIdentityRequests(actor=signed_in.actor, waiting_only=waiting, after=after, limit=limit)
    return answer(await container.rabbit.ask("tracking", "list_identity_requests", request, IdentityRequests))


@router.post(
    "/identity-requests/{request_id}/decision",
    operation_id="decideIdentityRequest",
    summary="Consent to the opening of an identity, or refuse it",
    response_model=IdentityRequest,
    responses=problems(401, 403, 404, 409, body=True),
)
async def decide(
    request_id: RequestId, body: IdentityDecisionBody, container: ContainerDep, signed_in: StaffDep
) -> Response:
    """For a custodian, who is another than the one who asked. The same decision again changes nothing."""
    if Role.CUSTODIAN not in signed_in.caller.roles:
        raise NotAllowed
    request = DecideIdentityRequest(
        actor=signed_in.actor, request_id=request_id, consent=body.consent, reason=body.reason
    )
    return answer(await container.rabbit.ask("tracking", "decide_identity_request", request, IdentityRequest))


@router.post(
    "/cases/{case_id}/identity",
    operation_id="openIdentity",
    summary="Who filed this case",
    response_model=OpenedIdentity,
    responses=problems(401, 403, 404, body=True),
)
async def open_identity(case_id: CaseId, body: ReasonBody, container: ContainerDep, signed_in: StaffDep) -> Response:
    """For head and custodian, while another's consent holds (403 `consent_needed`); a case about a unit they belong to is not
    found. Each opening is recorded with its reason and with who consented."""
    _opener(signed_in)
    # Intake knows nothing of conflicts of interest, nor of consents.
    grant = await container.rabbit.ask(
        "tracking", "authorize_identity", AuthorizeIdentity(actor=signed_in.actor, case_id=case_id), IdentityGrant
    )
    request = OpenIdentity(actor=signed_in.actor, case_id=case_id, reason=body.reason, consented_by=grant.consented_by)
    return answer(await container.rabbit.ask("intake", "open_identity", request, OpenedIdentity))
