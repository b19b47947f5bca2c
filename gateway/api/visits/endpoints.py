"""Visits in person: rooms and slots that the office keeps, and the visit of a case for those who handle it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from contracts import visits
from gateway.api.case_commands import register_staff_commands
from gateway.api.fields import NothingBody
from gateway.api.request_endpoints import STAFF, Field, RequestEndpoint, Rpc, Success, register_requests
from gateway.api.visits.bodies import RoomBody, SlotBody, SlotFilters, WeekBody
from gateway.api.visits.commands import STAFF_COMMANDS

router = APIRouter(tags=["visits"])
register_staff_commands(router, STAFF_COMMANDS)

RoomId = Annotated[UUID, Path(description="The room's id.")]
SlotId = Annotated[UUID, Path(description="The slot's id.")]

register_requests(
    router,
    RequestEndpoint(
        "GET /rooms",
        "listRooms",
        "The rooms for visits",
        "For head, administrator and inspectors; closed ones last.",
        STAFF,
        Rpc("tracking.list_rooms", visits.ListRooms, visits.Rooms),
    ),
    RequestEndpoint(
        "POST /rooms",
        "addRoom",
        "Add a room",
        "By head or administrator.",
        STAFF,
        Rpc("tracking.add_room", visits.AddRoom, visits.Room),
        body=RoomBody,
        success=Success(status=201),
    ),
    RequestEndpoint(
        "POST /rooms/{room_id}/closing",
        "closeRoom",
        "Close a room",
        "It gets no new slots; those it has stay.",
        STAFF,
        Rpc("tracking.close_room", visits.CloseRoom, visits.Room),
        parameters={"room_id": Field(RoomId)},
        body=NothingBody,
    ),
    RequestEndpoint(
        "GET /visit-slots",
        "listVisitSlots",
        "Slots for visits",
        "By their beginning. An inspector sees their own; `cases` are those that I may see. `next` is the `after` of the "
        "following page.",
        STAFF,
        Rpc("tracking.list_slots", visits.ListSlots, visits.Slots),
        query=SlotFilters,
    ),
    RequestEndpoint(
        "POST /visit-slots",
        "addVisitSlot",
        "Add a slot",
        "By head or administrator. 409 when the room or the inspector has another slot then, or the time has passed.",
        STAFF,
        Rpc("tracking.add_slot", visits.AddSlot, visits.Slot),
        body=SlotBody,
        success=Success(status=201),
        errors=(404,),
    ),
    RequestEndpoint(
        "POST /visit-slots/weeks",
        "makeWeekOfVisitSlots",
        "Make a week's slots",
        "One after another within working hours of the working days of seven: all, or none where one overlaps.",
        STAFF,
        Rpc("tracking.make_slots", visits.MakeSlots, visits.Slots),
        body=WeekBody,
        success=Success(status=201),
        errors=(404,),
    ),
    RequestEndpoint(
        "POST /visit-slots/{slot_id}/closing",
        "closeVisitSlot",
        "Close a slot",
        "409 while somebody has a place in it: call that visit off first.",
        STAFF,
        Rpc("tracking.close_slot", visits.CloseSlot, visits.Slot),
        parameters={"slot_id": Field(SlotId)},
        body=NothingBody,
        errors=(409,),
    ),
)
