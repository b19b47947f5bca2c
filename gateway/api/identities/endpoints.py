"""Opening a sealed identity: asked for with a reason, consented to by a custodian, opened on the record."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from contracts import identities, intake, tracking
from contracts.errors import NotAllowed
from contracts.vocabulary import IDENTITY_ROLES, Role
from gateway.api.dependencies import CaseId, ContainerDep, StaffDep, answer
from gateway.api.identities.bodies import IdentityDecisionBody, IdentityRequestBody, ReasonBody
from gateway.api.openapi_responses import problems
from gateway.api.request_endpoints import (
    PAGE,
    Field,
    RequestEndpoint,
    Rpc,
    Success,
    register_requests,
    staff_with,
)

router = APIRouter(tags=["identities"])

RequestId = Annotated[UUID, Path(description="The request's id.")]


OPENER, CUSTODIAN = staff_with(*IDENTITY_ROLES), staff_with(Role.CUSTODIAN)
ASKER = staff_with(*IDENTITY_ROLES, Role.INSPECTOR)


register_requests(
    router,
    RequestEndpoint(
        "POST /cases/{case_id}/identity/requests",
        "askForIdentity",
        "Ask a custodian to let me open who filed this case",
        "For head and custodian, for a substitute where the case is about the inspection itself, and for an inspector of the "
        "case. Once another custodian has consented, I may open it for so many `minutes`; what an inspector asked for, a head.",
        ASKER,
        Rpc("tracking.ask_for_identity", identities.AskForIdentity, identities.IdentityRequest),
        parameters={"case_id": Field(CaseId)},
        body=IdentityRequestBody,
        success=Success(status=201),
    ),
    RequestEndpoint(
        "GET /identity-requests",
        "listIdentityRequests",
        "Who asked to open an identity",
        "To custodians all, with number, stage and unit of the case; to others their own. None of cases about a unit they belong "
        "to. Newest first.",
        ASKER,
        Rpc("tracking.list_identity_requests", identities.ListIdentityRequests, identities.IdentityRequests),
        parameters={
            "waiting": Field(
                Annotated[bool, Query(description="Only what nobody has decided.")], False, name="waiting_only"
            ),
            **PAGE,
        },
    ),
    RequestEndpoint(
        "POST /identity-requests/{request_id}/decision",
        "decideIdentityRequest",
        "Consent to the opening of an identity, or refuse it",
        "For a custodian, who is another than the one who asked. The same decision again changes nothing.",
        CUSTODIAN,
        Rpc("tracking.decide_identity_request", identities.DecideIdentityRequest, identities.IdentityRequest),
        parameters={"request_id": Field(RequestId)},
        body=IdentityDecisionBody,
        errors=(409,),
    ),
)


@router.post(
    "/cases/{case_id}/identity",
    operation_id="openIdentity",
    summary="Who filed this case",
    response_model=intake.OpenedIdentity,
    responses=problems(401, 403, 404, body=True),
)
async def open_identity(case_id: CaseId, body: ReasonBody, container: ContainerDep, signed_in: StaffDep) -> Response:
    """For head and custodian, and for a substitute of cases about the inspection itself, while another's consent holds (403
    `consent_needed`); a case about a unit they belong to is not found. Each opening is recorded with its reason
    and with who consented."""
    if not signed_in.caller.roles & OPENER.roles:
        raise NotAllowed
    # Intake knows nothing of conflicts of interest, nor of consents.
    grant = await container.rabbit.call(
        "tracking",
        "authorize_identity",
        tracking.AuthorizeIdentity(actor=signed_in.actor, case_id=case_id),
        tracking.IdentityGrant,
    )
    request = intake.OpenIdentity(
        actor=signed_in.actor, case_id=case_id, reason=body.reason, consented_by=grant.consented_by
    )
    return answer(await container.rabbit.call("intake", "open_identity", request, intake.OpenedIdentity))
