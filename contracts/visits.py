"""Visits in person (DOMAIN: The life of a case): rooms, slots, and what tracking answers of them. Their events are in
tracking.py, since they are events of a case.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import LEFT_OUT, Answer, Contract, KeyedHash, LongPageRequest, Moment, Request
from contracts.gateway import Actor

PlaceName = Annotated[str, Field(min_length=1, max_length=40)]
"""A room as an SMS names it: longer ones would need a third part."""
Capacity = Annotated[int, Field(ge=1, le=50)]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day in Tehran, such as 08:30."""
Key = Annotated[str, Field(min_length=8, max_length=100)]


class VisitState(StrEnum):
    """`moved`: booked, and not for the first time. `avoided`: the case ended while the visit was only asked for."""

    ASKED = "asked"
    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    HELD = "held"
    NO_SHOW = "no_show"
    AVOIDED = "avoided"


# --- commands on a case ---------------------------------------------------------------------------------------------


class AskVisit(Contract):
    type: Literal["ask_visit"] = "ask_visit"


class BookVisit(Contract):
    """Takes a place in a slot that is offered."""

    type: Literal["book_visit"] = "book_visit"
    slot_id: UUID


class MoveVisit(Contract):
    """Changes to another slot, until the visit begins."""

    type: Literal["move_visit"] = "move_visit"
    slot_id: UUID


class CancelVisit(Contract):
    """Takes back the wish, or the booking until it begins."""

    type: Literal["cancel_visit"] = "cancel_visit"


VisitCommand = AskVisit | BookVisit | MoveVisit | CancelVisit


class OfferSlots(Contract):
    """From now on the citizen may choose among these; before, among all free slots of the case's inspector."""

    type: Literal["offer_slots"] = "offer_slots"
    slots: Annotated[list[UUID], Field(min_length=1, max_length=20)]


class CallOffVisit(Contract):
    """The office cannot hold it: the visit is asked for again, without a time."""

    type: Literal["call_off_visit"] = "call_off_visit"


class HoldVisit(Contract):
    """The visit took place. `minutes`: for the office alone."""

    type: Literal["hold_visit"] = "hold_visit"
    minutes: Annotated[str, Field(min_length=1, max_length=10_000)]


class MissVisit(Contract):
    """The citizen did not come."""

    type: Literal["miss_visit"] = "miss_visit"


StaffVisitCommand = OfferSlots | CallOffVisit | HoldVisit | MissVisit


# --- views ----------------------------------------------------------------------------------------------------------


class Visit(Answer):
    """A visit of a case. Without a slot it has neither time nor place."""

    visit_id: UUID
    state: VisitState
    asked_at: Moment
    slot_id: UUID | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    place_fa: str | None = None
    place_en: str | None = None


class StaffVisit(Visit):
    """The same for staff. `inspector`, `inspector_name`: who holds it; `offered`: slots chosen for it, none: all of the
    inspector's."""

    inspector: UUID | None = None
    inspector_name: str | None = None
    offered: list[UUID] = []
    state_text: str | None = LEFT_OUT
    asked_text: str | None = LEFT_OUT
    starts_text: str | None = LEFT_OUT


class OfferedSlot(Answer):
    """A slot the citizen may take now. `free`: places left."""

    slot_id: UUID
    starts_at: Moment
    ends_at: Moment
    place_fa: str
    place_en: str
    free: int


class OfferedSlots(Answer):
    items: list[OfferedSlot]


class ListOfferedSlots(Request):
    """RPC tracking.list_offered_slots → OfferedSlots; none when no visit is asked for. By code, or `case_id` and actor."""

    actor: Actor
    code_hashes: list[KeyedHash] = []
    case_id: UUID | None = None


# --- rooms and slots ------------------------------------------------------------------------------------------------


class Room(Answer):
    room_id: UUID
    name_fa: str
    name_en: str
    active: bool


class Rooms(Answer):
    items: list[Room]


class ListRooms(Request):
    """RPC tracking.list_rooms → Rooms, closed ones too; for head, administrator and inspectors."""

    actor: Actor


class AddRoom(Request):
    """RPC tracking.add_room → Room; by head or administrator. Repeated with its key it is the same room."""

    actor: Actor
    idempotency_key: Key
    name_fa: PlaceName
    name_en: PlaceName


class CloseRoom(Request):
    """RPC tracking.close_room → Room. It gets no new slots; those it has stay."""

    actor: Actor
    room_id: UUID


class SlotCase(Answer):
    """A case with a place in a slot, as far as the reader may know of it."""

    case_id: UUID
    number: str
    state: VisitState


class Slot(Answer):
    """`taken`: places of `capacity`. `cases`: those of them that the reader may know of."""

    slot_id: UUID
    room_id: UUID
    place_fa: str
    place_en: str
    inspector: UUID
    inspector_name: str | None = None
    starts_at: Moment
    ends_at: Moment
    capacity: int
    taken: int
    closed: bool = False
    cases: list[SlotCase] = []
    starts_text: str | None = LEFT_OUT
    ends_text: str | None = LEFT_OUT


class Slots(Answer):
    items: list[Slot]
    next: str | None = None


class ListSlots(LongPageRequest):
    """RPC tracking.list_slots → Slots by their beginning. Inspectors see their own alone."""

    actor: Actor
    since: Moment | None = None
    until: Moment | None = None
    inspector: UUID | None = None


class AddSlot(Request):
    """RPC tracking.add_slot → Slot; by head or administrator, at any time to come. SlotOverlap, UnknownRoom."""

    actor: Actor
    idempotency_key: Key
    room_id: UUID
    inspector: UUID
    starts_at: Moment
    ends_at: Moment
    capacity: Capacity = 1


class MakeSlots(Request):
    """RPC tracking.make_slots → Slots: one after another from `opens` to `closes` on each working day of seven.

    All of them or, where one overlaps, none. Hours lie within the office's.
    """

    actor: Actor
    idempotency_key: Key
    room_id: UUID
    inspector: UUID
    first_day: date
    opens: Clock
    closes: Clock
    minutes: Annotated[int, Field(ge=5, le=480)]
    capacity: Capacity = 1


class CloseSlot(Request):
    """RPC tracking.close_slot → Slot. SlotInUse while somebody has a place in it: such a visit is called off first."""

    actor: Actor
    slot_id: UUID
