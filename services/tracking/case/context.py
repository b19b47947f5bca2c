"""What every command is judged by: the actor, the moment, the city's catalogue and the open question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from contracts.base import Contract
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.tracking.case.facts import FactsLoaders, FactsPart, FactsQuery
from services.tracking.case.lifecycle import Case, Context, Question
from services.tracking.inquiry import store as inquiry_store
from services.tracking.reference import store as reference_store
from services.tracking.reference.catalogue import CatalogueCopy, CityCatalogue
from services.tracking.reference.store import Member
from services.tracking.reference.workdays import Deadlines, Workdays, day_of

Clock = Callable[[], datetime]
_WITHOUT_RULES = Context(
    actor=Actor(kind=ActorKind.BEARER, id="reader"),
    now=datetime.min,
    workdays=Workdays(frozenset()),
    deadlines=Deadlines(),
    new_id=UUID(int=0),
)


@dataclass(frozen=True)
class ViewedFacts:
    """What commands are judged by of what a view has read: the open question, and facts as they are before a command names
    anything."""

    question: Question | None
    facts: tuple[Any, ...]


def citizens_view(at: datetime, *facts: Any) -> Context:
    """What the commands of a citizen who reads their case are judged by: none of the city's rules."""
    return replace(_WITHOUT_RULES, now=at, facts=facts)


class Contexts:
    """Makes the context of a command. `loaders`: of the facts that one command alone needs."""

    def __init__(self, catalogue: CatalogueCopy, clock: Clock, loaders: FactsLoaders) -> None:
        self._catalogue, self._clock, self._loaders = catalogue, clock, loaders

    def of(self, connection: Connection, actor: Actor, case: Case | None) -> Context:
        """`case`: whose open question is looked up; None when there can be none."""
        waits = case is not None and case.has_question
        question = inquiry_store.open_question(connection, case.case_id) if case is not None and waits else None
        context = self._context(self._catalogue.current(connection), actor, question)
        if case is None or not _may_be_deputy(actor, case):
            return context
        return replace(context, absent=_absent(case, reference_store.member(connection, UUID(actor.id))))

    def _context(self, city: CityCatalogue, actor: Actor, question: Question | None) -> Context:
        return Context(
            actor=actor,
            now=self._clock(),
            workdays=city.workdays,
            deadlines=city.deadlines,
            calendar=city.version,
            four_eyes=city.four_eyes,
            transfers_without_head=city.transfers_without_head,
            refusal_reasons=city.refusal_reasons,
            root_causes=city.root_causes,
            articles=city.articles,
            earlier_four_eyes=city.earlier_four_eyes,
            open_rules=city.open_rules,
            about_inspection=city.about_inspection,
            new_id=uuid4(),
            question=question,
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
        loader = self._loaders.get(type(command))
        if loader is not None:
            query = FactsQuery(case, self._catalogue.current(connection), passed_over)
            context = replace(context, facts=(loader.load(connection, command, query),))
        return context if other_case is None else replace(context, other_case=other_case)

    def part(self, command: Contract) -> tuple[FactsPart | None, Mapping[str, Any]] | None:
        """What the facts of this command are read by beside the case, and with which parameters; (None, {}) when it needs none.
        None when they can only be loaded under the case's lock."""
        loader = self._loaders.get(type(command))
        if loader is None:
            return None, {}
        parameters = loader.part.parameters(command) if loader.part is not None else None
        return None if parameters is None else (loader.part, parameters)

    def for_reading(
        self, reading: Mapping[str, Any], case: Case, command: Contract, actor: Actor, city: CityCatalogue
    ) -> Context:
        """The same context as `for_command`, of what one statement has read: `question` and `facts`, as JSON, and of a command
        of staff `member`, who gives it."""
        question = inquiry_store.question_of_json(reading["question"]) if case.has_question else None
        context = self._context(city, actor, question)
        if _may_be_deputy(actor, case):
            context = replace(context, absent=_absent(case, reference_store.member_of_json(reading["member"])))
        loader = self._loaders.get(type(command))
        if loader is None or loader.part is None:
            return context
        return replace(context, facts=(loader.part.facts(reading["facts"], command, FactsQuery(case, city)),))

    def for_view(
        self, city: CityCatalogue, actor: Actor, member: Member | None, case: Case, view: ViewedFacts
    ) -> Context:
        """What any command is judged by, before its arguments: of what a view of the case has read."""
        context = self._context(city, actor, view.question if case.has_question else None)
        absent = _absent(case, member) if _may_be_deputy(actor, case) else frozenset()
        return replace(context, absent=absent, facts=view.facts)

    def now(self) -> datetime:
        """The moment it is."""
        return self._clock()

    def today(self) -> date:
        """The day it is in Tehran."""
        return day_of(self._clock())


def _may_be_deputy(actor: Actor, case: Case) -> bool:
    """Whether the actor may act for another who works on the case: with a role that handles cases, and not its handler."""
    handles = case.handler is None or str(case.handler) == actor.id
    return actor.kind is ActorKind.STAFF and not handles and bool(actor.roles & {Role.INSPECTOR, Role.SUBSTITUTE})


def _absent(case: Case, member: Member | None) -> frozenset[UUID]:
    """Those who work on the case, be it for advice, and are away with this one as deputy."""
    away = member.stands_in_for if member is not None else frozenset()
    return away & {case.handler, *case.co_handlers, *case.consulted}
