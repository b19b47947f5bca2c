"""What whoever files today is promised: the deadlines of the rules in force, as days."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.promises import ListPromises, Promise, Promises
from contracts.vocabulary import Kind
from services.tracking.case.context import Clock
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.workdays import day_of


class PromiseUseCases:
    def __init__(self, catalogue: CatalogueCopy, clock: Clock) -> None:
        self._catalogue, self._clock = catalogue, clock

    def list_promises(self, connection: Connection, request: ListPromises) -> Promises:
        """For each kind."""
        city = self._catalogue.current(connection)
        today, ground = day_of(self._clock()), request.ground or ""
        items = []
        for kind in Kind:
            steps = ("first_reading", "decision", "citizen", "objection")
            days = {f"{step}_days": city.deadlines.days(step, kind, ground, False) for step in steps}
            items.append(Promise(kind=kind, decision_on=city.workdays.after(today, days["decision_days"]), **days))
        return Promises(
            as_of=today,
            works_today=city.workdays.works(today),
            next_workday=city.workdays.after(today, 1),
            items=items,
            rating_days=city.deadlines.rating,
        )
