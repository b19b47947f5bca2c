"""What every command is judged by: the actor, the moment, the city's catalogue and the open question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection

from contracts.base import Contract
from contracts.gateway import Actor
from services.tracking.case.facts import FactsLoaders, FactsQuery
from services.tracking.case.lifecycle import ASKED, Case, Context
from services.tracking.inquiry import store as inquiry_store
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.workdays import day_of

Clock = Callable[[], datetime]


class Contexts:
    """Makes the context of a command. `loaders`: of the facts that one command alone needs."""

    def __init__(self, catalogue: CatalogueCopy, clock: Clock, loaders: FactsLoaders) -> None:
        self._catalogue, self._clock, self._loaders = catalogue, clock, loaders

    def of(self, connection: Connection, actor: Actor, case: Case | None) -> Context:
        """`case`: whose open question is looked up; None when there can be none."""
        city = self._catalogue.current(connection)
        return Context(
            actor=actor,
            now=self._clock(),
            workdays=city.workdays,
            deadlines=city.deadlines,
            calendar=city.version,
            four_eyes=city.four_eyes,
            refusal_reasons=city.refusal_reasons,
            root_causes=city.root_causes,
            new_id=uuid4(),
            question=inquiry_store.open_question(connection, case.case_id)
            if case is not None and case.stage in ASKED
            else None,
        )

    def for_command(
        self,
        connection: Connection,
        case: Case,
        command: Contract,
        actor: Actor,
        other_case: Case | None = None,
        passed_over: UUID | None = None,
    ) -> Context:
        """The context of this command of a locked case, with the facts that it needs. `other_case`: the one that it names,
        locked; `passed_over`: who is not chosen when the choice of a handler is ours."""
        context = self.of(connection, actor, case)
        load = self._loaders.get(type(command))
        if load is not None:
            query = FactsQuery(case, self._catalogue.current(connection), passed_over)
            context = replace(context, facts=(load(connection, command, query),))
        return context if other_case is None else replace(context, other_case=other_case)

    def now(self) -> datetime:
        """The moment it is."""
        return self._clock()

    def today(self) -> date:
        """The day it is in Tehran."""
        return day_of(self._clock())
