"""Opening a sealed identity: on the record, with its reason."""

from __future__ import annotations

from fastapi import APIRouter, Response

from contracts.errors import NotAllowed
from contracts.intake import OpenedIdentity, OpenIdentity
from contracts.tracking import AuthorizeIdentity, IdentityGrant
from contracts.vocabulary import Role
from gateway.bodies import ReasonBody
from gateway.deps import CaseId, DoorDep, StaffDep, answer
from gateway.documents import problems

router = APIRouter(tags=["identities"])


@router.post(
    "/cases/{case_id}/identity",
    operation_id="openIdentity",
    summary="Who filed this case",
    response_model=OpenedIdentity,
    responses=problems(401, 403, 404, body=True),
)
async def open_identity(case_id: CaseId, body: ReasonBody, door: DoorDep, known: StaffDep) -> Response:
    """For head and custodian; a case about a unit they belong to is not found. Each opening is recorded with its reason."""
    if not known.caller.roles & {Role.HEAD, Role.CUSTODIAN}:
        raise NotAllowed
    # Intake knows nothing of conflicts of interest.
    await door.bus.ask(
        "tracking", "authorize_identity", AuthorizeIdentity(actor=known.actor, case_id=case_id), IdentityGrant
    )
    request = OpenIdentity(actor=known.actor, case_id=case_id, reason=body.reason)
    return answer(await door.bus.ask("intake", "open_identity", request, OpenedIdentity))
