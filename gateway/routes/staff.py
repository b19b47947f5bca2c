"""The administrator's desk: accounts of staff."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field, StringConstraints

from contracts.accounts import (
    AddStaff,
    ChangeStaff,
    ListStaffHistory,
    ResetStaffCredentials,
    StaffCredentials,
    StaffHistory,
    StaffMember,
)
from contracts.base import UnitCode
from contracts.errors import UnknownUnit
from contracts.vocabulary import Role
from gateway.deps import Door, DoorDep, IdempotencyKey, IfMatch, PageSize, answer, version_of
from gateway.documents import answers, problems
from gateway.fields import NAME_PATTERN, Body, Flag, NotBlank
from gateway.routes.configuration import AdministratorDep, HistoryAfter

router = APIRouter(prefix="/staff", tags=["staff"])

_Line = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=100), NotBlank]
_Roles = Annotated[list[Role], Field(min_length=1, max_length=8)]


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [example]})


class NewStaffBody(Body):
    """`display_name` names a role or a desk, as other staff see it. A liaison answers for `unit`."""

    username: _Line
    display_name: _Line
    roles: _Roles
    unit: UnitCode | None = None
    model_config = _like(username="desk-2", display_name="پیشخوان ۲", roles=["operator"], unit="mayor.insp")


class ChangedStaffBody(Body):
    """The account as it is to be. `active` false closes it and ends its sessions."""

    display_name: _Line
    roles: _Roles
    unit: UnitCode | None
    active: Flag
    model_config = _like(display_name="پیشخوان ۲", roles=["operator", "screener"], unit="mayor.insp", active=True)


def _check_unit(door: Door, unit: str | None) -> None:
    if unit is not None and door.shelf.units and unit not in door.shelf.units:
        raise UnknownUnit(fields=[{"field": "unit", "reason": "unknown_unit"}])


@router.get(
    "/history",
    operation_id="listStaffHistory",
    summary="Who changed which account",
    response_model=StaffHistory,
    responses=problems(401, 403, 422),
)
async def history(
    door: DoorDep,
    known: AdministratorDep,
    staff_id: UUID | None = None,
    after: HistoryAfter = None,
    limit: PageSize = 50,
) -> Response:
    """Newest first, before and after. No secret is in it."""
    request = ListStaffHistory(actor=known.actor, staff_id=staff_id, after=after, limit=limit)
    return answer(await door.bus.ask("accounts", "list_staff_history", request, StaffHistory))


@router.post(
    "",
    operation_id="addStaff",
    summary="A new account",
    status_code=201,
    response_model=StaffCredentials,
    responses={**problems(401, 403, 409, body=True), **answers(201, "The account, and its credentials once")},
)
async def add(body: NewStaffBody, door: DoorDep, known: AdministratorDep, idempotency_key: IdempotencyKey) -> Response:
    """Password and TOTP secret are told in this answer alone; a repetition under the key tells the account without them."""
    _check_unit(door, body.unit)
    request = AddStaff(actor=known.actor, idempotency_key=idempotency_key, **body.model_dump())
    return answer(await door.bus.ask("accounts", "add_staff", request, StaffCredentials), 201)


@router.put(
    "/{staff_id}",
    operation_id="changeStaff",
    summary="Name, roles, unit; close or open an account",
    response_model=StaffMember,
    responses={
        **problems(401, 403, 404, 409, 412, 428, body=True),
        **answers(200, "The account", ETag="Its version"),
    },
)
async def change(
    staff_id: UUID,
    body: ChangedStaffBody,
    door: DoorDep,
    known: AdministratorDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """If-Match: the account's `version`. Nobody closes their own account or gives up their own role of administrator."""
    version = version_of(if_match)
    _check_unit(door, body.unit)
    request = ChangeStaff(
        actor=known.actor,
        idempotency_key=idempotency_key,
        staff_id=staff_id,
        expected_version=version,
        **body.model_dump(),
    )
    member = await door.bus.ask("accounts", "change_staff", request, StaffMember)
    return answer(member, etag=f'"{member.version}"')


@router.post(
    "/{staff_id}/credentials",
    operation_id="resetStaffCredentials",
    summary="A new password and TOTP secret",
    response_model=StaffCredentials,
    responses=problems(401, 403, 404, 409, 422),
)
async def reset_credentials(
    staff_id: UUID, door: DoorDep, known: AdministratorDep, idempotency_key: IdempotencyKey
) -> Response:
    """Told in this answer alone. The old ones are void, and every session of the account ends."""
    request = ResetStaffCredentials(actor=known.actor, idempotency_key=idempotency_key, staff_id=staff_id)
    return answer(await door.bus.ask("accounts", "reset_staff_credentials", request, StaffCredentials))
