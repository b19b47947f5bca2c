"""What tracking reads from its environment: the city's deadlines among it (DOMAIN: The life of a case)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from contracts.vocabulary import Kind
from services.tracking.bulk.settings import BulkSettings
from services.tracking.messages.rules import CitizenLimits
from services.tracking.reference.workdays import Deadlines

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Days = Annotated[int, Field(ge=1, le=250)]


def _weekend(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = [part.strip().lower() for part in value.split(",") if part.strip()]
    if unknown := [name for name in names if name not in DAYS]:
        raise ValueError(f"{', '.join(unknown)}: not a day of the week; wants names such as thursday,friday")
    if len(set(names)) == len(DAYS):
        raise ValueError("leaves no day to work on")
    return frozenset(DAYS.index(name) for name in names)


def _kinds(value: object) -> object:
    if not isinstance(value, str):
        return value
    return frozenset(part.strip().lower() for part in value.split(",") if part.strip())


class Settings(BulkSettings):
    """Deadlines in working days. `citizen_reminder_days`: after that a citizen who was asked is reminded; `citizen_close_days`:
    after that the case is closed as unanswered; `rating_days`: days of the calendar from the closing of a case until which it
    may be rated. `weekend`: days of the week as datetime counts them, Monday 0; in the environment
    WEEKEND=thursday,friday. `citizen_days`: after that a question is held to be left unanswered. `mayor_days`: from the head
    of inspection to `mayor_unit`, the mayor's office. `inspection_unit`: the inspection office; cases about one of these two or a
    unit above it go to substitutes. The catalogue's values take precedence over these.
    `identity_consent`: kinds of cases whose sealed identity is opened only with a custodian's consent, in the environment
    IDENTITY_CONSENT=complaint,information (empty: none); `identity_minutes_most`: for how long at most.
    `call_back_share`: percent of the closed cases without a rating that are drawn each week for the call-back list,
    `call_back_size`: how many at most (0: none).
    `desk_correction_days`: working days in which an operator corrects the mobile of what they filed; then a head alone.
    `messages_most`: how many messages of its citizen one case takes, corrections counted, `messages_characters` of how many
    characters together; `correction_minutes`: how long the citizen may correct or take back what they sent (0: not)."""

    weekend: Annotated[frozenset[int], NoDecode, BeforeValidator(_weekend)] = frozenset({3, 4})
    complaint_days: Days = 15
    criticism_days: Days = 15
    information_days: Days = 30
    urgent_days: Days = 1
    unit_days: Days = 5
    citizen_days: Days = 10
    citizen_reminder_days: Days = 5
    citizen_close_days: Days = 30
    objection_days: Days = 10
    first_reading_days: Days = 2
    mayor_days: Days = 5
    auto_close_days: Days = 10
    rating_days: Days = 30
    mayor_unit: str = "mayor"
    inspection_unit: str = "mayor.insp"
    identity_consent: Annotated[frozenset[Kind], NoDecode, BeforeValidator(_kinds)] = frozenset(Kind)
    call_back_size: Annotated[int, Field(ge=0, le=10_000)] = 50
    call_back_share: Annotated[int, Field(ge=1, le=100)] = 10
    desk_correction_days: Annotated[int, Field(ge=0, le=250)] = 3
    identity_minutes_most: Annotated[int, Field(ge=1, le=1_440)] = 1_440
    messages_most: Annotated[int, Field(ge=0, le=1_000)] = 50
    messages_characters: Annotated[int, Field(ge=0, le=10_000_000)] = 100_000
    correction_minutes: Annotated[int, Field(ge=0, le=1_440)] = 60

    @property
    def citizen_limits(self) -> CitizenLimits:
        return CitizenLimits(self.messages_most, self.messages_characters, timedelta(minutes=self.correction_minutes))

    @property
    def deadlines(self) -> Deadlines:
        return Deadlines(
            decision={
                Kind.COMPLAINT: self.complaint_days,
                Kind.CRITICISM: self.criticism_days,
                Kind.INFORMATION: self.information_days,
            },
            urgent=self.urgent_days,
            unit=self.unit_days,
            citizen=self.citizen_days,
            citizen_reminder=self.citizen_reminder_days,
            citizen_close=self.citizen_close_days,
            objection=self.objection_days,
            first_reading=self.first_reading_days,
            mayor=self.mayor_days,
            auto_close=self.auto_close_days,
            rating=self.rating_days,
        )
