"""Bodies of rooms, slots and visits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from backbone.persian import jalali
from gateway.api.dependencies import Cursor, LongPageSize
from gateway.api.digits import DayOrMoment, TypedDay
from gateway.api.fields import (
    NAME_PATTERN,
    Body,
    LongText,
    Moment,
    NotBlank,
    day_within_our_time,
    example,
    of_our_time,
    whole,
)


def _without_repetitions(ids: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=40), NotBlank]
Capacity = Annotated[int, Field(ge=1, le=50), BeforeValidator(whole)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class RoomBody(Body):
    """Names as citizens read them, in an SMS too."""

    name_fa: Name
    name_en: Name
    model_config = example(name_fa="ساختمان بازرسی، اتاق ۱", name_en="Inspection building, room 1")


class SlotBody(Body):
    """`capacity`: how many citizens at that time."""

    room_id: UUID
    inspector: UUID
    starts_at: Moment
    ends_at: Moment
    capacity: Capacity = 1
    model_config = example(
        room_id="4f4b1c0e-6f0e-4b1a-9d38-2f1c5f3f8a12",
        inspector="b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21",
        starts_at="2026-12-05T09:00:00+03:30",
        ends_at="2026-12-05T09:30:00+03:30",
        capacity=1,
    )


class WeekBody(Body):
    """Slots of `minutes` from `opens` to `closes`, Tehran, on the working days of the seven from `first_day`."""

    room_id: UUID
    inspector: UUID
    first_day: Annotated[TypedDay, AfterValidator(of_our_time)]
    opens: TimeOfDay
    closes: TimeOfDay
    minutes: Annotated[int, Field(ge=5, le=480), BeforeValidator(whole)]
    capacity: Capacity = 1
    model_config = example(
        room_id="4f4b1c0e-6f0e-4b1a-9d38-2f1c5f3f8a12",
        inspector="b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21",
        first_day="2026-12-05",
        opens="08:00",
        closes="12:00",
        minutes=30,
        capacity=1,
    )


class OfferBody(Body):
    slots: Annotated[list[UUID], Field(min_length=1, max_length=20), AfterValidator(_without_repetitions)]
    model_config = example(slots=["6e1f5a3c-8c0e-4c43-9a2b-1b7e5d0f9c22"])


class MinutesBody(Body):
    """`text`: for the office alone."""

    text: LongText
    model_config = example(text="شهروند مدرک دوم را آورد؛ قرار شد واحد پاسخ دهد.")


class ChosenSlotBody(Body):
    slot_id: UUID
    model_config = example(slot_id="6e1f5a3c-8c0e-4c43-9a2b-1b7e5d0f9c22")


class SlotFilters(Body):
    """Which slots: those that begin from `since` until before `until`, of one inspector. Either may be a day, which belongs to
    the span."""

    since: DayOrMoment | None = None
    until: DayOrMoment | None = None
    inspector: UUID | None = None
    after: Cursor = None
    limit: LongPageSize = 500

    def request_fields(self) -> dict[str, Any]:
        """The fields of tracking's ListSlots: days as the moments at which they begin and end in Tehran."""
        since, until = self.since, self.until
        if since is not None and not isinstance(since, datetime):
            since = jalali.starts(day_within_our_time(since))
        if until is not None and not isinstance(until, datetime):
            until = jalali.starts(day_within_our_time(until) + timedelta(days=1))
        return {**self.model_dump(), "since": since, "until": until}
