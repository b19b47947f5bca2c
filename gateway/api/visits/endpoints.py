"""Visits in person: rooms and slots that the office keeps, and the visit of a case for those who handle it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from contracts.visits import (
    AddRoom,
    AddSlot,
    CloseRoom,
    CloseSlot,
    ListRooms,
    ListSlots,
    MakeSlots,
    Room,
    Rooms,
    Slot,
    Slots,
)
from gateway.api.case_commands import register_staff_commands
from gateway.api.dependencies import ContainerDep, IdempotencyKey, StaffDep, answer
from gateway.api.fields import NothingBody
from gateway.api.openapi_responses import problems
from gateway.api.visits.bodies import RoomBody, SlotBody, SlotFilters, WeekBody
from gateway.api.visits.commands import STAFF_COMMANDS

router = APIRouter(tags=["visits"])
register_staff_commands(router, STAFF_COMMANDS)

RoomId = Annotated[UUID, Path(description="The room's id.")]
SlotId = Annotated[UUID, Path(description="The slot's id.")]


# --- rooms ---


@router.get(
    "/rooms",
    operation_id="listRooms",
    summary="The rooms for visits",
    response_model=Rooms,
    responses=problems(401, 403),
)
async def list_rooms(container: ContainerDep, signed_in: StaffDep) -> Response:
    """For head, administrator and inspectors; closed ones last."""
    return answer(await container.rabbit.ask("tracking", "list_rooms", ListRooms(actor=signed_in.actor), Rooms))


@router.post(
    "/rooms",
    operation_id="addRoom",
    summary="Add a room",
    status_code=201,
    response_model=Room,
    responses=problems(401, 403, 409, body=True),
)
async def add_room(
    body: RoomBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """By head or administrator."""
    request = AddRoom(actor=signed_in.actor, idempotency_key=idempotency_key, **body.model_dump())
    return answer(await container.rabbit.ask("tracking", "add_room", request, Room), 201)


@router.post(
    "/rooms/{room_id}/closing",
    operation_id="closeRoom",
    summary="Close a room",
    response_model=Room,
    responses=problems(401, 403, 404, body=True),
)
async def close_room(
    room_id: RoomId, container: ContainerDep, signed_in: StaffDep, body: NothingBody | None = None
) -> Response:
    """It gets no new slots; those it has stay."""
    return answer(
        await container.rabbit.ask("tracking", "close_room", CloseRoom(actor=signed_in.actor, room_id=room_id), Room)
    )


# --- slots ---


@router.get(
    "/visit-slots",
    operation_id="listVisitSlots",
    summary="Slots for visits",
    response_model=Slots,
    responses=problems(401, 403, 422),
)
async def list_slots(
    container: ContainerDep, signed_in: StaffDep, filters: Annotated[SlotFilters, Query()]
) -> Response:
    """By their beginning, at most 500. An inspector sees their own; `cases` are those that I may see."""
    request = ListSlots(actor=signed_in.actor, **filters.model_dump())
    return answer(await container.rabbit.ask("tracking", "list_slots", request, Slots))


@router.post(
    "/visit-slots",
    operation_id="addVisitSlot",
    summary="Add a slot",
    status_code=201,
    response_model=Slot,
    responses=problems(401, 403, 404, 409, body=True),
)
async def add_slot(
    body: SlotBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """By head or administrator. 409 when the room or the inspector has another slot then, or the time has passed."""
    request = AddSlot(actor=signed_in.actor, idempotency_key=idempotency_key, **body.model_dump())
    return answer(await container.rabbit.ask("tracking", "add_slot", request, Slot), 201)


@router.post(
    "/visit-slots/weeks",
    operation_id="makeWeekOfVisitSlots",
    summary="Make a week's slots",
    status_code=201,
    response_model=Slots,
    responses=problems(401, 403, 404, 409, body=True),
)
async def make_slots(
    body: WeekBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """One after another within working hours of the working days of seven: all, or none where one overlaps."""
    request = MakeSlots(actor=signed_in.actor, idempotency_key=idempotency_key, **body.model_dump())
    return answer(await container.rabbit.ask("tracking", "make_slots", request, Slots), 201)


@router.post(
    "/visit-slots/{slot_id}/closing",
    operation_id="closeVisitSlot",
    summary="Close a slot",
    response_model=Slot,
    responses=problems(401, 403, 404, 409, body=True),
)
async def close_slot(
    slot_id: SlotId, container: ContainerDep, signed_in: StaffDep, body: NothingBody | None = None
) -> Response:
    """409 while somebody has a place in it: call that visit off first."""
    return answer(
        await container.rabbit.ask("tracking", "close_slot", CloseSlot(actor=signed_in.actor, slot_id=slot_id), Slot)
    )


# --- the visit of a case ---
