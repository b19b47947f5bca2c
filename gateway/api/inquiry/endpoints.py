"""What helps an inspector along: reminders, a checklist, cases that belong together."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.tracking import AddCheck, LinkCase, Remind, StaffCase, TickCheck
from gateway.api.cases.endpoints import COMMAND, execute
from gateway.api.dependencies import CaseId, ContainerDep, IdempotencyKey, IfMatch, StaffDep
from gateway.api.inquiry.bodies import CheckBody, LinkBody, ReminderBody, TickBody

router = APIRouter(tags=["inquiry"])


@router.post(
    "/cases/{case_id}/reminders",
    operation_id="setReminder",
    summary="Be reminded on a day to come",
    response_model=StaffCase,
    responses=COMMAND,
)
async def remind(
    case_id: CaseId,
    body: ReminderBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Told in my inbox on that day."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, Remind(on=body.on, text=body.text))


@router.post(
    "/cases/{case_id}/checklist",
    operation_id="addCheck",
    summary="Add to the checklist",
    response_model=StaffCase,
    responses=COMMAND,
)
async def add_check(
    case_id: CaseId,
    body: CheckBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """At its end."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, AddCheck(text=body.text))


@router.post(
    "/cases/{case_id}/checklist/{item_id}",
    operation_id="tickCheck",
    summary="Tick an item of the checklist",
    response_model=StaffCase,
    responses=COMMAND,
)
async def tick_check(
    case_id: CaseId,
    item_id: UUID,
    body: TickBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Done, or not done after all."""
    return await execute(
        container, signed_in, case_id, if_match, idempotency_key, TickCheck(item_id=item_id, done=body.done)
    )


@router.post(
    "/cases/{case_id}/links",
    operation_id="linkCase",
    summary="Link with another case",
    response_model=StaffCase,
    responses=COMMAND,
)
async def link(
    case_id: CaseId,
    body: LinkBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Each stays its own. Of the other only number and stage are shown, to who may know of it."""
    return await execute(
        container, signed_in, case_id, if_match, idempotency_key, LinkCase(to=body.to, linked=body.linked)
    )
