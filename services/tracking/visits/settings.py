"""What tracking reads from its environment about visits."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from pydantic import Field

from backbone.process.settings import ServiceSettings
from services.tracking.visits.rules import Lead

Seconds = Annotated[float, Field(gt=0)]


class VisitSettings(ServiceSettings):
    """A week's slots lie between `visit_opens` and `visit_closes`; reminders go out so many seconds before, at an hour when
    people are awake, Tehran."""

    visit_opens: time = time(8)
    visit_closes: time = time(14)
    visit_remind_day_before: Seconds = 24 * 3600
    visit_remind_hours_before: Seconds = 2 * 3600
    visit_remind_from_hour: Annotated[int, Field(ge=0, le=12)] = 7
    visit_remind_until_hour: Annotated[int, Field(ge=13, le=24)] = 22

    @property
    def visit_lead(self) -> Lead:
        return Lead(
            day=timedelta(seconds=self.visit_remind_day_before),
            hours=timedelta(seconds=self.visit_remind_hours_before),
            wakes=self.visit_remind_from_hour,
            sleeps=self.visit_remind_until_hour,
        )
