"""What people do with a case: commands of staff, of citizens and of liaisons, each once, each on what its giver saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from contracts.errors import InvalidField, KeyReused, NotAllowed, NotFound, StaleVersion, UnknownCase
from contracts.gateway import Actor
from contracts.letters import Letter, ReadLetter
from contracts.tracking import (
    AddNote,
    AnswerQuestion,
    AnswerUnitQuestion,
    AskUnit,
    Assign,
    AuthorizeMedia,
    Correct,
    ExecuteCitizenCommand,
    ExecuteCommand,
    FollowedRecommendation,
    GetCase,
    LinkCase,
    ListOwnCases,
    ListRecommendations,
    ListUnitQuestions,
    MediaGrant,
    Merge,
    OwnCases,
    PublicCase,
    Recommendations,
    ReportRecommendation,
    SendEvidence,
    SettleRecommendation,
    StaffCase,
    StaffCommand,
    UnitQuestion,
    UnitQuestions,
    ViewByCode,
    ViewOwnCase,
)
from contracts.visits import StaffVisitCommand, VisitCommand
from contracts.vocabulary import ActorKind, Role
from services.tracking.case import rules as domain
from services.tracking.case import store, views
from services.tracking.case.event_handlers import City, Tracking
from services.tracking.case.lifecycle import Case, Context, StaffFacts, Turn, UnitFacts
from services.tracking.case.record import record
from services.tracking.case.scope import SEE_ALL, Scope, scope_of
from services.tracking.decisions import recommendations as advice
from services.tracking.decisions import rules as decisions
from services.tracking.evidence import store as evidence
from services.tracking.inquiry import rules as inquiry
from services.tracking.inquiry import store as reminders
from services.tracking.letters import store as letters
from services.tracking.reference.workdays import day_of
from services.tracking.screening import workload as desks
from services.tracking.visits.commands import act as act_on_visit
from services.tracking.visits.commands import act_as_citizen as citizen_on_visit

View = TypeVar("View", StaffCase, PublicCase)


class Desk(Tracking):
    """The use cases that are asked for by RPC."""

    # --- staff ---

    def scope(self, connection: Connection, actor: Actor, masks: bool = False) -> Scope:
        """Which cases this member of staff may know of. NotAllowed for who sees none. `masks`: as in `scope_of`."""
        staff_id = _id(actor, ActorKind.STAFF)
        return scope_of(staff_id, actor.roles, self._avoided(connection, actor, staff_id), masks)

    def _avoided(self, connection: Connection, actor: Actor, staff_id: UUID) -> frozenset[str]:
        """The units in which this member of staff has a conflict of interest. NotAllowed for a closed account.

        Both the unit in the token and the one last told by accounts are avoided: either may be the newer.
        """
        known = store.member(connection, staff_id)
        if known is not None and not known.active:
            raise NotAllowed
        tree = self.city(connection).tree
        own = [unit for unit in (actor.unit, known.unit if known else None) if unit is not None]
        return frozenset(code for unit in own for code in tree.above(unit))

    def execute(self, connection: Connection, request: ExecuteCommand) -> StaffCase:
        """A command of staff. UnknownCase, StaleVersion, KeyReused, and what domain.act raises."""
        _no_nul(request)
        scope, command = self.scope(connection, request.actor), request.command
        other = command.into if isinstance(command, Merge) else None
        if isinstance(command, LinkCase):
            other = command.to
        locked = store.lock_for_staff(connection, [request.case_id, *([other] if other else [])], scope)
        case = locked.get(request.case_id)
        if case is None:
            raise UnknownCase
        if again(connection, request.actor, request.idempotency_key, case.case_id, command):
            return _found(views.staff_case(connection, case.case_id, scope))
        if case.version != request.expected_version:
            later = views.entries_since(connection, case.case_id, request.expected_version, scope)
            raise StaleVersion(current=case.version, changes=[entry.model_dump(mode="json") for entry in later])
        target = locked.get(other) if other is not None else None
        context = self.facts(connection, case, command, target, request.actor)
        turn = self._act(connection, case, command, context)
        record(connection, turn, request.actor, context.now, context.question)
        if target is not None:
            joined = domain.joined_by(target, case)
            if isinstance(command, LinkCase):
                joined = inquiry.linked(target, case, command.linked)
            record(connection, joined, request.actor, context.now)
        # Who has just found the case to be about their own unit sees this answer, and then no more.
        return _found(views.staff_case(connection, case.case_id, scope, after_command=True))

    def _act(self, connection: Connection, case: Case, command: StaffCommand, context: Context) -> Turn:
        if not isinstance(command, StaffVisitCommand):
            return domain.act(case, command, context)
        city = self.city(connection)
        return act_on_visit(
            connection, case, command, context, lambda who: self._candidate(connection, city, case, who)
        )

    def facts(
        self,
        connection: Connection,
        case: Case,
        command: StaffCommand,
        target: Case | None,
        actor: Actor,
        besides: UUID | None = None,
    ) -> Context:
        """What this command is judged by. `besides`: who is not chosen when the choice is ours."""
        city = self.city(connection)
        context = replace(self.context(connection, actor, case), target=target)
        if isinstance(command, Assign):
            chosen = command.inspector or self._free(connection, city, case, besides)
            return replace(context, staff=self._candidate(connection, city, case, chosen) if chosen else None)
        if isinstance(command, Correct):
            kinds = store.ground_kinds(connection, command.ground) if command.ground else None
            return replace(context, unit=_unit(city, command.unit), ground_kinds=kinds)
        if isinstance(command, AddNote) and command.mentions:
            return replace(context, may_see=self._may_see(connection, city, case, command.mentions))
        if isinstance(command, SettleRecommendation):
            found = advice.of_case(connection, case.case_id, command.recommendation_id)
            return replace(context, recommended=found[0] if found else None)
        if isinstance(command, AskUnit):
            media = store.media_of(connection, case.case_id)
            return replace(context, unit=_unit(city, command.unit or case.unit), media=media)
        return context

    def _may_see(self, connection: Connection, city: City, case: Case, ids: Iterable[UUID]) -> frozenset[UUID]:
        """Those of these members of staff who may know of the case."""
        return frozenset(
            row.staff_id
            for row in reminders.members(connection, ids)
            if (SEE_ALL & set(row.roles) or row.staff_id == case.handler)
            and (row.unit is None or case.unit not in city.tree.above(row.unit))
        )

    def _free(self, connection: Connection, city: City, case: Case, besides: UUID | None) -> UUID | None:
        """Who is skilled in the ground and has the fewest open cases; where nobody is named for it, of those without any
        named skill. None when there is no one."""
        away = {besides, case.handler, *case.barred}
        able = [
            row
            for row in desks.inspectors(connection, one_at_a_time=True)
            if row.staff_id not in away and (row.unit is None or case.unit not in city.tree.above(row.unit))
        ]
        skilled = [row for row in able if case.ground in (row.grounds or ())]
        first = next(iter(skilled or [row for row in able if not row.grounds]), None)
        return first.staff_id if first is not None else None

    def _candidate(self, connection: Connection, city: City, case: Case, staff_id: UUID) -> StaffFacts | None:
        row = store.member(connection, staff_id)
        if row is None:
            return None
        conflicted = row.unit is not None and case.unit in city.tree.above(row.unit)
        return StaffFacts(staff_id, row.active, Role.INSPECTOR in row.roles, conflicted)

    def get_case(self, connection: Connection, request: GetCase) -> StaffCase:
        """The whole case, or UnknownCase, be it that there is none or that it is none of theirs."""
        return _found(views.staff_case(connection, request.case_id, self.scope(connection, request.actor)))

    # --- letters ---

    def read_letter(self, connection: Connection, request: ReadLetter) -> Letter:
        """The formal letter of a decided or refused case, for staff, its citizen, or who holds its code."""
        staff = request.actor.kind is ActorKind.STAFF
        return letters.read(connection, request, self.scope(connection, request.actor) if staff else None)

    # --- citizens ---

    def view_by_code(self, connection: Connection, request: ViewByCode) -> PublicCase:
        """What the holder of the code sees; UnknownCase when there is no case yet."""
        return _found(views.public_by_code(connection, request.code_hashes, day_of(self.clock())))

    def view_own_case(self, connection: Connection, request: ViewOwnCase) -> PublicCase:
        """The same for the signed-in citizen who filed it."""
        citizen_id = _id(request.actor, ActorKind.CITIZEN)
        return _found(views.public_own(connection, request.case_id, citizen_id, day_of(self.clock())))

    def list_own_cases(self, connection: Connection, request: ListOwnCases) -> OwnCases:
        """What the signed-in citizen filed."""
        return views.own_cases(connection, _id(request.actor, ActorKind.CITIZEN))

    def execute_citizen(self, connection: Connection, request: ExecuteCitizenCommand) -> PublicCase:
        """A command of the one who filed the case. UnknownCase, KeyReused, WrongStage, EvidenceFull."""
        _no_nul(request)
        uploads: list[str] = getattr(request.command, "uploads", [])
        evidence.expect(connection, uploads)
        case = self._lock_of_citizen(connection, request)
        if case is None:
            raise UnknownCase
        if not again(connection, request.actor, request.idempotency_key, case.case_id, request.command):
            context = self.context(connection, request.actor, case)
            if isinstance(request.command, SendEvidence):
                sent = evidence.sent_by_citizen(connection, case.case_id)
                context = replace(context, sent=sent, media=store.media_of(connection, case.case_id))
            if isinstance(request.command, VisitCommand):
                turn = citizen_on_visit(connection, case, request.command, context, self.lead)
            else:
                turn = domain.act_as_citizen(case, request.command, context)
            record(connection, turn, request.actor, context.now, context.question)
            self.tell_refusals(connection, uploads)
        return _found(views.public_of(connection, case.case_id, day_of(self.clock())))

    def _lock_of_citizen(self, connection: Connection, request: ExecuteCitizenCommand) -> Case | None:
        if request.actor.kind not in (ActorKind.CITIZEN, ActorKind.BEARER):
            raise NotAllowed
        if request.code_hashes:
            case = store.lock_by_code(connection, request.code_hashes)
            return case if case and request.case_id in (None, case.case_id) else None
        if request.case_id is None:
            return None
        return store.lock_own(connection, request.case_id, _id(request.actor, ActorKind.CITIZEN))

    # --- liaisons ---

    def list_unit_questions(self, connection: Connection, request: ListUnitQuestions) -> UnitQuestions:
        """Questions put to the liaison's unit or one below it."""
        units = self._answered_for(connection, request.actor)
        return UnitQuestions(items=views.unit_questions(connection, units, request.open_only))

    def answer_unit_question(self, connection: Connection, request: AnswerUnitQuestion) -> UnitQuestion:
        """A unit's answer. NotFound for a question that was not put to the liaison's unit or one below it."""
        _no_nul(request)
        units = self._answered_for(connection, request.actor)
        case_id = store.case_of_question(connection, request.question_id, units)
        case = store.lock(connection, case_id) if case_id is not None else None
        if case is None:
            raise NotFound
        asked = AnswerQuestion(text=request.text, uploads=request.uploads)
        if not again(connection, request.actor, request.idempotency_key, request.question_id, asked):
            context = self.context(connection, request.actor, case)
            uploads = tuple(dict.fromkeys(request.uploads))
            turn = domain.answer_unit_question(case, request.question_id, request.text, uploads, context)
            record(connection, turn, request.actor, context.now, context.question)
        return views.unit_questions(connection, units, open_only=False, only=request.question_id)[0]

    def list_recommendations(self, connection: Connection, request: ListRecommendations) -> Recommendations:
        """To a liaison those of the unit, with nothing of the case; to others those of the cases they may know of."""
        tree = self.city(connection).tree
        units = None if request.unit is None else tree.below(request.unit)
        if Role.LIAISON in request.actor.roles:
            own = self._answered_for(connection, request.actor)
            asked = own if units is None else own & units
            return Recommendations(items=advice.of_units(connection, asked, request.open_only))
        scope = self.scope(connection, request.actor)
        return Recommendations(items=advice.of_scope(connection, scope, units, request.open_only))

    def report_recommendation(self, connection: Connection, request: ReportRecommendation) -> FollowedRecommendation:
        """What the unit says of it. NotFound for one that was not made to the liaison's unit or one below it."""
        _no_nul(request)
        units = self._answered_for(connection, request.actor)
        case_id = advice.case_of_unit(connection, request.recommendation_id, units)
        case = store.lock(connection, case_id) if case_id is not None else None
        if case is None:
            raise NotFound
        said = SettleRecommendation(
            recommendation_id=request.recommendation_id, accepted=request.done, reason=request.reason
        )
        if not again(connection, request.actor, request.idempotency_key, request.recommendation_id, said):
            [one] = advice.of_case(connection, case.case_id, request.recommendation_id)
            context = self.context(connection, request.actor, None)
            turn = decisions.report(case, one, request.done, request.reason, context)
            record(connection, turn, request.actor, context.now)
        return advice.of_units(connection, units, open_only=False, only=request.recommendation_id)[0]

    def _answered_for(self, connection: Connection, actor: Actor) -> frozenset[str]:
        """The units this liaison answers for; the unit last told by accounts counts, where one was told."""
        staff_id = _id(actor, ActorKind.STAFF)
        known = store.member(connection, staff_id)
        unit = known.unit if known is not None else actor.unit
        if Role.LIAISON not in actor.roles or unit is None or (known is not None and not known.active):
            raise NotAllowed
        return self.city(connection).tree.below(unit)

    # --- evidence ---

    def authorize_media(self, connection: Connection, request: AuthorizeMedia) -> MediaGrant:
        """Whether this caller may see this media, and of which case it is; else UnknownCase."""
        owner = self._owner(connection, request)
        if owner is None:
            raise UnknownCase
        return MediaGrant(media_id=request.media_id, case_id=owner.case_id, label=owner.label)

    def _owner(self, connection: Connection, request: AuthorizeMedia) -> views.MediaOwner | None:
        actor, media_id = request.actor, request.media_id
        if request.code_hashes:
            return views.media_for_code(connection, media_id, request.code_hashes, request.case_id)
        if actor is None:
            return None
        if actor.kind is ActorKind.CITIZEN:
            citizen_id = _id(actor, ActorKind.CITIZEN)
            return views.media_for_citizen(connection, media_id, citizen_id, request.case_id)
        if request.question_id is not None:
            units = self._answered_for(connection, actor)
            return views.media_for_units(connection, media_id, units, request.question_id)
        return views.media_for_staff(connection, media_id, self.scope(connection, actor), request.case_id)


def _found(view: View | None) -> View:
    if view is None:
        raise UnknownCase
    return view


def _id(actor: Actor, kind: ActorKind) -> UUID:
    """The actor's UUID; NotAllowed for another kind of actor."""
    if actor.kind is not kind:
        raise NotAllowed
    try:
        return UUID(actor.id)
    except ValueError:
        raise NotAllowed from None


def _unit(city: City, code: str | None) -> UnitFacts | None:
    row = city.units.get(code) if code is not None else None
    if row is None:
        return None
    return UnitFacts(row.code, row.name_fa, row.name_en, row.active, row.parent is None)


def again(connection: Connection, actor: Actor, key: str, about: UUID, command: BaseModel) -> bool:
    """Whether this very command was done under this key. KeyReused when the key was used for another one."""
    told = json.dumps([str(about), command.model_dump(mode="json")], sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()
    before = store.note_command(connection, f"{actor.kind}:{actor.id}", key, digest)
    if before is not None and before != digest:
        raise KeyReused
    return before is not None


def _no_nul(request: BaseModel) -> None:
    """PostgreSQL cannot hold the character U+0000, and nobody types it."""
    if any("\x00" in text for text in _texts(request.model_dump(mode="json"))):
        raise InvalidField(fields=[{"field": "command", "reason": "null_character"}])


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
