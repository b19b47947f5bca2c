"""Accounts of staff, for the administrator."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from contracts.accounts import (
    AddedStaff,
    AddStaff,
    ChangedStaffMember,
    ChangeStaff,
    ListStaffHistory,
    RequestedStaffChange,
    ResetStaff,
    ResetStaffCredentials,
    StaffChangeAsked,
    StaffCredentials,
    StaffHistory,
    StaffMember,
)
from contracts.errors import NotAllowed, UnknownUnit
from contracts.staff_changes import (
    ConfirmStaffChange,
    DenyStaffChange,
    ListStaffChanges,
    StaffChangeConfirmed,
    StaffChanges,
)
from contracts.vocabulary import Role
from gateway.api.configuration.endpoints import AdministratorDep, HistoryAfter
from gateway.api.dependencies import ContainerDep, IdempotencyKey, IfMatch, PageSize, StaffDep, answer, version_of
from gateway.api.openapi_responses import answers, problems
from gateway.api.staff.bodies import ChangedStaffBody, NewStaffBody
from gateway.container import AppContainer

router = APIRouter(prefix="/staff", tags=["staff"])

ChangeId = Annotated[UUID, Path(description="The change's id.")]
ASKED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "It takes another administrator, at /v1/staff/changes. The new password, once: the TOTP secret is shown "
        "to the one who confirms.",
        "model": StaffChangeAsked,
    }
}


def _check_unit(container: AppContainer, unit: str | None) -> None:
    if unit is not None and container.catalogue_cache.units and unit not in container.catalogue_cache.units:
        raise UnknownUnit(fields=[{"field": "unit", "reason": "unknown_unit"}])


@router.get(
    "/history",
    operation_id="listStaffHistory",
    summary="Who changed which account",
    response_model=StaffHistory,
    responses=problems(401, 403, 422),
)
async def history(
    container: ContainerDep,
    signed_in: AdministratorDep,
    staff_id: UUID | None = None,
    after: HistoryAfter = None,
    limit: PageSize = 50,
) -> Response:
    """Newest first, before and after. No secret is in it."""
    request = ListStaffHistory(actor=signed_in.actor, staff_id=staff_id, after=after, limit=limit)
    return answer(await container.rabbit.ask("accounts", "list_staff_history", request, StaffHistory))


@router.post(
    "",
    operation_id="addStaff",
    summary="A new account",
    status_code=201,
    response_model=StaffCredentials,
    responses={
        **problems(401, 403, 409, body=True),
        **answers(201, "The account, and its credentials once"),
        **ASKED,
    },
)
async def add(
    body: NewStaffBody, container: ContainerDep, signed_in: AdministratorDep, idempotency_key: IdempotencyKey
) -> Response:
    """Password and TOTP secret are in this answer alone; a repetition under the key answers the account without them. With
    the role of head, custodian or administrator it is only asked for: 202, until another administrator confirms."""
    _check_unit(container, body.unit)
    request = AddStaff(actor=signed_in.actor, idempotency_key=idempotency_key, **body.model_dump())
    added = await container.rabbit.ask("accounts", "add_staff", request, AddedStaff)
    if added.asked is not None:
        return answer(added.asked, 202)
    return answer(StaffCredentials(**added.model_dump(exclude={"asked"})), 201)


@router.put(
    "/{staff_id}",
    operation_id="changeStaff",
    summary="Name, roles, unit; close or open an account",
    response_model=StaffMember,
    responses={
        **problems(401, 403, 404, 409, 412, 428, body=True),
        **answers(200, "The account", ETag="Its version"),
        **ASKED,
    },
)
async def change(
    staff_id: UUID,
    body: ChangedStaffBody,
    container: ContainerDep,
    signed_in: AdministratorDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """If-Match: the account's `version`. Nobody closes their own account or gives up their own role of administrator. To grant
    the role of head, custodian or administrator, to open an account that has one, or to give such an account another role or
    unit, is only asked for: 202, until another administrator confirms."""
    version = version_of(if_match)
    _check_unit(container, body.unit)
    request = ChangeStaff(
        actor=signed_in.actor,
        idempotency_key=idempotency_key,
        staff_id=staff_id,
        expected_version=version,
        **body.model_dump(),
    )
    changed = await container.rabbit.ask("accounts", "change_staff", request, ChangedStaffMember)
    if changed.asked is not None:
        return answer(changed.asked, 202)
    return answer(StaffMember(**changed.model_dump(exclude={"asked"})), etag=f'"{changed.version}"')


@router.post(
    "/{staff_id}/credentials",
    operation_id="resetStaffCredentials",
    summary="A new password and TOTP secret",
    response_model=StaffCredentials,
    responses={**problems(401, 403, 404, 409, 422), **ASKED},
)
async def reset_credentials(
    staff_id: UUID, container: ContainerDep, signed_in: AdministratorDep, idempotency_key: IdempotencyKey
) -> Response:
    """In this answer alone. The old ones are void, and every session of the account ends. For an account with the role of
    head, custodian or administrator it is only asked for: 202, until another administrator confirms."""
    request = ResetStaffCredentials(actor=signed_in.actor, idempotency_key=idempotency_key, staff_id=staff_id)
    reset = await container.rabbit.ask("accounts", "reset_staff_credentials", request, ResetStaff)
    if reset.asked is not None:
        return answer(reset.asked, 202)
    return answer(StaffCredentials(**reset.model_dump(exclude={"asked"})))


# --- what takes two administrators ---


@router.get(
    "/changes",
    operation_id="listStaffChanges",
    summary="Changes that take two administrators",
    response_model=StaffChanges,
    responses=problems(401, 403, 422),
)
async def changes(
    container: ContainerDep,
    signed_in: StaffDep,
    pending: Annotated[bool, Query(description="Only those that can still be decided.")] = False,
    after: HistoryAfter = None,
    limit: PageSize = 50,
) -> Response:
    """Who asked for which, and what became of it, for administrators and custodians; newest first. No secret is in it."""
    if not signed_in.caller.roles & {Role.ADMINISTRATOR, Role.CUSTODIAN}:
        raise NotAllowed
    request = ListStaffChanges(actor=signed_in.actor, pending_only=pending, after=after, limit=limit)
    return answer(await container.rabbit.ask("accounts", "list_staff_changes", request, StaffChanges))


@router.post(
    "/changes/{change_id}/confirmation",
    operation_id="confirmStaffChange",
    summary="Confirm a change that another administrator asked for",
    response_model=StaffChangeConfirmed,
    responses=problems(401, 403, 404, 409, 422),
)
async def confirm(
    change_id: ChangeId, container: ContainerDep, signed_in: AdministratorDep, idempotency_key: IdempotencyKey
) -> Response:
    """It is done with this answer. The new TOTP secret is shown here alone, as the password was to the one who asked: each hands
    their half to the account's owner, and nobody else has both. Not for who asked, nor for whose account it is (409
    `second_administrator_needed`)."""
    request = ConfirmStaffChange(actor=signed_in.actor, idempotency_key=idempotency_key, change_id=change_id)
    return answer(await container.rabbit.ask("accounts", "confirm_staff_change", request, StaffChangeConfirmed))


@router.post(
    "/changes/{change_id}/denial",
    operation_id="denyStaffChange",
    summary="Deny a change that another administrator asked for, or cancel one's own",
    response_model=RequestedStaffChange,
    responses=problems(401, 403, 404, 409, 422),
)
async def deny(change_id: ChangeId, container: ContainerDep, signed_in: AdministratorDep) -> Response:
    """It never takes effect, and the custodians are told. By the one who asked it is a cancellation. Again it changes nothing."""
    request = DenyStaffChange(actor=signed_in.actor, change_id=change_id)
    return answer(await container.rabbit.ask("accounts", "deny_staff_change", request, RequestedStaffChange))
