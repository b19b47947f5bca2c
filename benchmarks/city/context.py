"""What the case histories of a made-up city share: its people, catalogue and calendar, and the public meetings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5

from benchmarks.city import texts
from benchmarks.city.texts import Complaint
from contracts.gateway import Actor
from contracts.intake import Catalogue
from services.intake.submissions.rules import target_of
from services.tracking.reference.catalogue import CityCatalogue
from services.tracking.reference.workdays import ONE_DAY, TEHRAN
from services.tracking.visits.rules import Lead, Slot

LEEWAY = timedelta(minutes=10)
"""A case made from a template is later than the template, by less than this: so every day stays the same."""
NAMESPACE = UUID("0b6f3a52-5d0e-5a86-9a4c-2d6f6c1b7a01")
PLACE_FA, PLACE_EN = "اتاق ملاقات بازرسی", "Inspection meeting room"
PLACES_OF_A_DAY = 60
"""Citizens that an inspector can meet in the two hours of each Tuesday's public meeting."""


@dataclass(frozen=True)
class CityContext:
    """`until`: nothing happens later. `avoided`: units of the office's own staff, about which they may not know of cases."""

    city: CityCatalogue
    catalogue: Catalogue
    screeners: tuple[Actor, ...]
    inspectors: tuple[Actor, ...]
    heads: tuple[Actor, ...]
    until: datetime
    mayor_unit: str
    lead: Lead
    avoided: frozenset[str] = frozenset()

    def complaints(self) -> list[Complaint]:
        """Those of the corpus whose unit and ground are in the catalogue."""
        grounds = {ground.code for ground in self.catalogue.grounds}
        usable = [
            complaint
            for complaint in texts.complaints()
            if complaint.ground in grounds
            and target_of(complaint.unit, self.catalogue).unit
            and complaint.unit not in self.avoided
        ]
        if not usable:
            raise ValueError("the catalogue has none of the units of the sample: seed it first")
        return usable


def meeting_after(day: date, town: CityContext) -> date:
    """The first Tuesday from `day` on that is a working day: the office's public meeting."""
    while day.weekday() != 1 or not town.city.workdays.works(day):
        day += ONE_DAY
    return day


def slot_of(inspector: Actor, day: date) -> Slot:
    """The public meeting of one inspector on that day."""
    starts = datetime.combine(day, time(9), TEHRAN).astimezone(UTC)
    slot_id = uuid5(NAMESPACE, f"slot {inspector.id} {day}")
    ends = starts + timedelta(hours=2)
    return Slot(slot_id, UUID(inspector.id), starts, ends, PLACES_OF_A_DAY, 0, False, PLACE_FA, PLACE_EN)
