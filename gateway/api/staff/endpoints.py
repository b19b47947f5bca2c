"""Accounts of staff, for the administrator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from contracts import accounts, leaves, staff_changes
from contracts.errors import InvalidField, UnknownUnit
from contracts.vocabulary import Role
from gateway.api.dependencies import (
    AdministratorDep,
    ContainerDep,
    IdempotencyKey,
    IfMatch,
    answer,
    version_of,
)
from gateway.api.fields import NothingBody
from gateway.api.openapi_responses import answers, problems
from gateway.api.request_endpoints import (
    ADMINISTRATOR,
    HISTORY_PAGE,
    LONG_PAGE,
    STAFF,
    Field,
    RequestEndpoint,
    Rpc,
    Success,
    register_requests,
    staff_with,
)
from gateway.api.staff.bodies import ChangedStaffBody, LeaveBody, NewStaffBody
from gateway.container import AppContainer

router = APIRouter(prefix="/staff", tags=["staff"])

ADMINISTRATOR_OR_CUSTODIAN = staff_with(Role.ADMINISTRATOR, Role.CUSTODIAN)
ChangeId = Annotated[UUID, Path(description="The change's id.")]
CHANGE_REQUESTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "It takes another administrator, at /v1/staff/changes. The new password, once: the TOTP secret is shown "
        "to the one who confirms.",
        "model": accounts.StaffChangeAsked,
    }
}


def _check_unit(container: AppContainer, unit: str | None, roles: Sequence[Role]) -> None:
    """UnknownUnit; InvalidField for a substitute who belongs to the branch that they are to be outside of."""
    if unit is not None and container.catalogue_cache.units and unit not in container.catalogue_cache.units:
        raise UnknownUnit(fields=[{"field": "unit", "reason": "unknown_unit"}])
    if Role.SUBSTITUTE in roles and unit in container.substitutes.branch:
        raise InvalidField(fields=[{"field": "unit", "reason": "within_inspection"}])


register_requests(
    router,
    RequestEndpoint(
        "GET /history",
        "listStaffHistory",
        "Who changed which account",
        "Newest first, before and after. No secret is in it.",
        ADMINISTRATOR,
        Rpc("accounts.list_staff_history", accounts.ListStaffHistory, accounts.StaffHistory),
        parameters={
            "staff_id": Field(UUID | None, None),
            **HISTORY_PAGE,
        },
    ),
)


@router.post(
    "",
    operation_id="addStaff",
    summary="A new account",
    status_code=201,
    response_model=accounts.StaffCredentials,
    responses={
        **problems(401, 403, 409, body=True),
        **answers(201, "The account, and its credentials once"),
        **CHANGE_REQUESTED,
    },
)
async def add(
    body: NewStaffBody, container: ContainerDep, signed_in: AdministratorDep, idempotency_key: IdempotencyKey
) -> Response:
    """Password and TOTP secret are in this answer alone; a repetition under the key answers the account without them. With
    the role of head, custodian, substitute or administrator it is only asked for: 202, until another administrator confirms."""
    _check_unit(container, body.unit, body.roles)
    request = accounts.AddStaff(actor=signed_in.actor, idempotency_key=idempotency_key, **body.model_dump())
    added = await container.rabbit.call("accounts", "add_staff", request, accounts.AddedStaff)
    if added.requested is not None:
        return answer(added.requested, 202)
    return answer(accounts.StaffCredentials(**added.model_dump(exclude={"requested"})), 201)


@router.put(
    "/{staff_id}",
    operation_id="changeStaff",
    summary="Name, roles, unit; close or open an account",
    response_model=accounts.StaffMember,
    responses={
        **problems(401, 403, 404, 409, 412, 428, body=True),
        **answers(200, "The account", ETag="Its version"),
        **CHANGE_REQUESTED,
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
    the role of head, custodian, substitute or administrator, to open an account that has one, or to give such an account another
    role or unit, is only asked for: 202, until another administrator confirms. The last head stays."""
    version = version_of(if_match)
    _check_unit(container, body.unit, body.roles if body.active else ())
    request = accounts.ChangeStaff(
        actor=signed_in.actor,
        idempotency_key=idempotency_key,
        staff_id=staff_id,
        expected_version=version,
        **body.model_dump(),
    )
    changed = await container.rabbit.call("accounts", "change_staff", request, accounts.ChangedStaffMember)
    if changed.requested is not None:
        return answer(changed.requested, 202)
    return answer(accounts.StaffMember(**changed.model_dump(exclude={"requested"})), etag=f'"{changed.version}"')


@router.post(
    "/{staff_id}/credentials",
    operation_id="resetStaffCredentials",
    summary="A new password and TOTP secret",
    response_model=accounts.StaffCredentials,
    responses={**problems(401, 403, 404, 409, 422), **CHANGE_REQUESTED},
)
async def reset_credentials(
    staff_id: UUID, container: ContainerDep, signed_in: AdministratorDep, idempotency_key: IdempotencyKey
) -> Response:
    """In this answer alone. The old ones are void, and every session of the account ends. For an account with the role of
    head, custodian, substitute or administrator it is only asked for: 202, until another administrator confirms."""
    request = accounts.ResetStaffCredentials(actor=signed_in.actor, idempotency_key=idempotency_key, staff_id=staff_id)
    reset = await container.rabbit.call("accounts", "reset_staff_credentials", request, accounts.ResetStaff)
    if reset.requested is not None:
        return answer(reset.requested, 202)
    return answer(accounts.StaffCredentials(**reset.model_dump(exclude={"requested"})))


# --- leaves ---


register_requests(
    router,
    RequestEndpoint(
        "GET /leaves",
        "listLeaves",
        "Leaves of absence, and who stands in",
        "Those that are not over: for heads and administrators all, for others their own and those in which they stand in.",
        STAFF,
        Rpc("accounts.list_leaves", leaves.ListLeaves, leaves.Leaves),
        parameters=LONG_PAGE,
    ),
    RequestEndpoint(
        "POST /leaves",
        "addLeave",
        "A leave of absence with a deputy",
        """
        Meanwhile the deputy sees and does what the one who is away does, their inbox included; it ends by itself. Their own
        conflict of interest holds all the same, and what they do is recorded as done by them for the one who is away. Of one's
        own; of others by a head or administrator.
        """,
        STAFF,
        Rpc("accounts.add_leave", leaves.AddLeave, leaves.Leave),
        body=LeaveBody,
        success=Success(status=201),
        errors=(404,),
    ),
    RequestEndpoint(
        "POST /leaves/{leave_id}/ending",
        "endLeave",
        "End a leave now",
        "Before its time, or before it begins. Again it changes nothing.",
        STAFF,
        Rpc("accounts.end_leave", leaves.EndLeave, leaves.Leave),
        parameters={"leave_id": Field(Annotated[UUID, Path(description="The leave's id.")])},
        body=NothingBody,
    ),
)


# --- what takes two administrators ---


register_requests(
    router,
    RequestEndpoint(
        "GET /changes",
        "listStaffChanges",
        "Changes that take two administrators",
        "Who asked for which, and what became of it, for administrators and custodians; newest first. No secret "
        "is in it.",
        ADMINISTRATOR_OR_CUSTODIAN,
        Rpc("accounts.list_staff_changes", staff_changes.ListStaffChanges, staff_changes.StaffChanges),
        parameters={
            "pending": Field(
                Annotated[bool, Query(description="Only those that can still be decided.")], False, name="pending_only"
            ),
            **HISTORY_PAGE,
        },
    ),
    RequestEndpoint(
        "POST /changes/{change_id}/confirmation",
        "confirmStaffChange",
        "Confirm a change that another administrator asked for",
        """
        It is done with this answer. The new TOTP secret is shown here alone, as the password was to the one who asked: each hands
        their half to the account's owner, and nobody else has both. Not for who asked, nor for whose account it is (409
        `second_administrator_needed`).
        """,
        ADMINISTRATOR,
        Rpc("accounts.confirm_staff_change", staff_changes.ConfirmStaffChange, staff_changes.StaffChangeConfirmed),
        parameters={"change_id": Field(ChangeId)},
    ),
    RequestEndpoint(
        "POST /changes/{change_id}/denial",
        "denyStaffChange",
        "Deny a change that another administrator asked for, or cancel one's own",
        "It never takes effect, and the custodians are told. By the one who asked it is a cancellation. Again it "
        "changes nothing.",
        ADMINISTRATOR,
        Rpc("accounts.deny_staff_change", staff_changes.DenyStaffChange, accounts.RequestedStaffChange),
        parameters={"change_id": Field(ChangeId)},
        errors=(409,),
    ),
)
