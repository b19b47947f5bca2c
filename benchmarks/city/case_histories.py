"""Histories of cases, simulated with the product's own rules without a database: who does what when, what the calendar adds,
and everything that is written and published.

One history is simulated and is the template of some two dozen cases (case_templates.py)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4, uuid5

from benchmarks.city import texts
from benchmarks.city.context import NAMESPACE, CityContext, meeting_after, slot_of
from benchmarks.city.texts import Complaint
from contracts import tracking
from contracts.gateway import Actor, FileSubmission, Place
from contracts.vocabulary import (
    OPEN_STAGES,
    ActorKind,
    Channel,
    Kind,
    Language,
    Outcome,
    RefusalReason,
    RootCause,
    Stage,
)
from services.intake.submissions import use_cases as intake
from services.intake.submissions.rules import target_of
from services.tracking.case import deadlines, registration, rules
from services.tracking.case.lifecycle import (
    Case,
    Change,
    Context,
    Effect,
    Question,
    StaffFacts,
    StoredEntry,
    UnitFacts,
)
from services.tracking.case.record import lines, written
from services.tracking.case.scheduler import BY_CALENDAR
from services.tracking.decisions import rules as decisions
from services.tracking.decisions.rules import (
    IssuedRecommendation,
    RecommendationFacts,
    RecommendationsChanged,
    RecommendationsIssued,
)
from services.tracking.decisions.store import OPEN as OPEN_RECOMMENDATIONS
from services.tracking.evidence.store import media_rows
from services.tracking.inquiry import rules as inquiry
from services.tracking.inquiry.rules import QuestionAnswered, QuestionAsked, QuestionLapsed, UnitQuestionFacts
from services.tracking.merging import rules as merging
from services.tracking.reference.workdays import ONE_DAY, TEHRAN, day_of
from services.tracking.rules import COMMANDS
from services.tracking.screening.rules import AssignmentFacts, CorrectionFacts
from services.tracking.visits import rules as visits
from services.tracking.visits.rules import Visit, VisitSaved


class _EndOfTime(Exception):
    """The next change would happen after `until`."""


class CaseHistory:
    """One case from its filing to its state at the end: its rows in tracking, and every event."""

    def __init__(self, city_context: CityContext, rng: Random, complaint: Complaint, filed_at: datetime) -> None:
        self.city_context, self._rng = city_context, rng
        self.question: Question | None = None
        self.questions: dict[UUID, dict[str, Any]] = {}
        self.recommended: dict[UUID, dict[str, Any]] = {}
        self.visit: Visit | None = None
        self.entries: list[tuple[StoredEntry, str, str]] = []
        self.events: list[tracking.TrackedEvent] = []
        self.attachments: list[dict[str, Any]] = []
        self.uploads: list[tuple[str, datetime]] = []
        self.ended_at: datetime | None = None
        self.twin: CaseHistory | None = None
        self.inspector = rng.choice(city_context.inspectors)
        self.command = self._filed(complaint, filed_at)
        target = target_of(self.command.unit, city_context.catalogue)
        questions = intake.asked_in(self.command, city_context.catalogue)
        self.event = intake.registered(self.command, target, questions)
        self.case: Case
        self.at = filed_at + timedelta(seconds=rng.uniform(0.3, 3))
        self.event = self.event.model_copy(update={"occurred_at": self.at})
        self.opened_at = self.at
        self._open()

    # --- filing ---

    def _filed(self, complaint: Complaint, filed_at: datetime) -> FileSubmission:
        rng = self._rng
        is_known = {Kind.COMPLAINT: 1.0, Kind.CRITICISM: 0.5, Kind.INFORMATION: 0.08}[complaint.kind] > rng.random()
        uploads = [uuid4().hex for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2)))]
        place = Place(latitude=36.27, longitude=50.0, address=rng.choice(texts.STREETS)) if rng.random() < 0.4 else None
        by = (Channel.WEB, Channel.APP, Channel.PAGES, Channel.PHONE, Channel.COUNTER)
        return FileSubmission.model_construct(
            submission_id=uuid4(),
            code_hash=_hex64(),
            retryable=True,
            kind=complaint.kind,
            unit=complaint.unit,
            ground=complaint.ground,
            text=f"text {uuid4().hex}",
            place=place,
            visit_wanted=rng.random() < 0.07,
            uploads=uploads,
            channel=rng.choices(by, (30, 40, 8, 14, 8))[0],
            language=Language.FA,
            filed_at=filed_at,
            citizen_id=uuid4() if is_known else None,
            sealed_identity="sealed" if is_known else None,
            sealed_contact=f"contact {uuid4().hex}" if is_known else None,
            mobile_hash=_hex64() if is_known else None,
            content_hash=_hex64(),
        )

    def _open(self) -> None:
        event, city = self.event, self.city_context.city
        self.uploads += [(upload_id, self.at) for upload_id in event.uploads]
        case = registration.case_of_submission(event, f"number {uuid4().hex}")
        case = replace(rules.opened(case, city.workdays, city.deadlines), calendar=city.version)
        self.citizen = registration.filed_by(event)
        self.take(registration.opening_of(case, event), self.citizen, self.at)
        self.first = self.case
        self.attachments += media_rows(case.case_id, event.uploads, 1, at=self.at)
        if event.visit_wanted:
            self.take(visits.ask(self.case, None, self.at, uuid4()), self.citizen, self.at)

    # --- the script ---

    def play(self, path: str) -> None:
        """Simulates the course `path` until the end of time, and what the calendar does meanwhile."""
        try:
            self._play(path)
            self._calendar(self.city_context.until)
        except _EndOfTime:
            pass
        if self.case.stage in (Stage.CLOSED, Stage.MERGED, Stage.WITHDRAWN):
            ends = ("closed", "closed_unanswered", "merged", "withdrawn")
            self.ended_at = max(entry.at for entry, _, _ in self.entries if entry.entry in ends)

    def _play(self, path: str) -> None:
        rng, screener = self._rng, self._rng.choice(self.city_context.screeners)
        self.staff(screener, tracking.StartScreening(), rng.choice((0, 0, 1, 1, 1, 2, 3)))
        if self.event.kind is Kind.COMPLAINT and not self.case.urgent and rng.random() < 0.04:
            self.staff(screener, tracking.Correct(urgent=True))
        if path == "refused":
            reason = rng.choice(list(texts.REFUSALS))
            self.staff(screener, _refusal(reason))
            return
        if self.twin is not None:
            self._merge(screener)
        self._assign(screener, self.inspector, rng.choice((0, 0, 1, 1, 2, 4)))
        if self.visit is not None and rng.random() < 0.5:
            self._meet()
        if path == "withdrawn":
            self.by_citizen(tracking.Withdraw(reason=texts.WITHDRAWN), rng.randint(1, 6))
            return
        self._inquire()
        self._decide(rng.choice((1, 2, 3, 4, 6, 8, 12)))
        if path == "objected" and self.case.objection_until is not None:
            self.by_citizen(tracking.RaiseObjection(text=texts.OBJECTION), rng.randint(1, 8))
            others = [actor for actor in self.city_context.inspectors if UUID(actor.id) not in self.case.excluded_staff]
            self.inspector = rng.choice(others)
            self._assign(rng.choice(self.city_context.heads), self.inspector, 1)
            self._decide(rng.randint(3, 12))
        if rng.random() < 0.45:
            self.by_citizen(_rating(rng), rng.randint(0, 5))
        self._follow_up()

    def _inquire(self) -> None:
        rng = self._rng
        if rng.random() < 0.3:
            self.staff(self.inspector, tracking.AddNote(text=texts.NOTE), rng.randint(0, 2))
        if rng.random() < 0.4:
            self.staff(self.inspector, tracking.AskUnit(text=texts.TO_UNIT), rng.randint(0, 3))
            self._unit_answers(rng.randint(1, 5))
        if rng.random() < 0.15:
            self.staff(self.inspector, tracking.AskCitizen(text=texts.TO_CITIZEN), rng.randint(0, 2))
            self.by_citizen(tracking.AnswerQuestion(text=texts.OF_CITIZEN), rng.randint(1, 5))

    def _decide(self, days: int) -> None:
        rng = self._rng
        outcome = rng.choices(list(Outcome), (32, 18, 34, 9, 7))[0]
        causes: list[str] = []
        recommendations = []
        if outcome in (Outcome.UPHELD, Outcome.PARTLY_UPHELD):
            causes = [str(rng.choice(list(RootCause)))]
            if self.case.unit is not None and rng.random() < 0.25:
                workdays = self.city_context.city.workdays
                due = workdays.after(day_of(self.at), days + rng.choice((8, 20, 30)))
                recommendations = [tracking.Recommendation(text=texts.ADVICE, due_on=due)]
        decision: dict[str, Any] = {"outcome": outcome, "reasons": rng.choice(texts.REASONS[outcome])}
        decision |= {"root_causes": causes, "recommendations": recommendations}
        if self.case.kind in self.city_context.city.four_eyes:
            self.staff(self.inspector, tracking.Propose(**decision), days)
            heads = self.city_context.heads
            approvers = [actor for actor in heads if UUID(actor.id) not in self.case.excluded_staff] or heads
            self.staff(rng.choice(approvers), tracking.Approve(), 1)
        else:
            self.staff(self.inspector, tracking.Decide(**decision), days)
        if self.twin is not None:
            [*_, decided] = [event for event in self.events if isinstance(event, tracking.CaseDecided)]
            self.twin.take_merged_decision(decided, self.at + timedelta(seconds=2))

    def _follow_up(self) -> None:
        """Three of four units report what was recommended, and the inspector agrees."""
        for recommendation_id in list(self.recommended):
            if self.recommended[recommendation_id]["state"] != "open" or self._rng.random() < 0.25:
                continue
            at = self._in_office(self._rng.randint(2, 6))
            change = decisions.report(
                self.case, self._recommendation(recommendation_id), True, None, self.context(self.liaison, at)
            )
            self.take(change, self.liaison, at)
            done = tracking.SettleRecommendation(recommendation_id=recommendation_id, accepted=True)
            self.staff(self.inspector, done, 1, recommended=self._recommendation(recommendation_id))

    def _merge(self, screener: Actor) -> None:
        """The twin, filed soon after, is merged into this one since it repeats it."""
        twin = self.twin
        assert twin is not None
        twin.wait_for(self.at)
        twin.staff(screener, tracking.StartScreening())
        moment = twin.in_a_moment()
        self._until(moment)
        twin.staff(screener, tracking.Merge(into=self.case.case_id), at=moment, other_case=self.case)
        self.take(merging.duplicate_merged(self.case, twin.case), screener, moment)
        twin.ended_at = moment

    def wait_for(self, at: datetime) -> None:
        """Lets only the calendar act until then."""
        self._until(at)
        self.at = max(self.at, at)

    def take_merged_decision(self, decided: tracking.CaseDecided, at: datetime) -> None:
        """The decision of the case that this one was merged into."""
        details = {"outcome": decided.outcome, "final": decided.final}
        entry = {"entry": "decided", "details": details, "number": decided.state.number}
        self.take(merging.merged_case_ended(self.case, entry, False, self.context(BY_CALENDAR, at)), BY_CALENDAR, at)

    def _meet(self) -> None:
        """A place at the next public meeting is offered, taken, reminded of and used."""
        assert self.visit is not None
        at = self._in_office(0)
        slot = slot_of(self.inspector, meeting_after(day_of(at) + 3 * ONE_DAY, self.city_context))
        self.take(visits.offer(self.case, self.visit, [slot], at), self.inspector, at)
        at = self.in_a_moment()
        self.take(visits.book(self.case, self.visit, slot, at, self.city_context.lead), self.citizen, at)
        for moment in (self.visit.remind_day_at, self.visit.remind_hours_at):
            if moment is not None:
                self._until(at := moment.astimezone(UTC) + timedelta(seconds=2))
                reminder = visits.remind(self.case, self.visit, at)
                if reminder is not None:
                    self.take(reminder, BY_CALENDAR, at)
        self._until(at := slot.ends_at + timedelta(minutes=20))
        self.take(visits.hold(self.case, self.visit, texts.MINUTES, at), self.inspector, at)

    def _unit_answers(self, days: int) -> None:
        at = self._in_office(days)
        if self.question is None:
            return
        context = self.context(self.liaison, at)
        question_id = self.question.question_id
        self.take(inquiry.answer_unit_question(self.case, question_id, texts.OF_UNIT, (), context), self.liaison, at)

    def _assign(self, by: Actor, inspector: Actor, days: int) -> None:
        facts = StaffFacts(UUID(inspector.id), active=True, inspector=True, conflicted=False)
        self.staff(by, tracking.Assign(inspector=UUID(inspector.id)), days, staff=facts)

    # --- changes ---

    @property
    def liaison(self) -> Actor:
        """The liaison of the unit complained about."""
        return Actor(kind=ActorKind.STAFF, id=str(uuid5(NAMESPACE, f"liaison {self.case.unit}")), unit=self.case.unit)

    def context(self, actor: Actor, at: datetime, **facts: Any) -> Context:
        city = self.city_context.city
        row = city.units.get(self.case.unit or "")
        unit = UnitFacts(row.code, row.name_fa, row.name_en, row.active, row.parent is None) if row else None
        loaded = (
            CorrectionFacts(unit),
            UnitQuestionFacts(unit, liaison=True),
            AssignmentFacts(facts.get("staff")),
            RecommendationFacts(facts.get("recommended")),
        )
        return Context(
            actor=actor,
            now=at,
            workdays=city.workdays,
            deadlines=city.deadlines,
            new_id=uuid4(),
            question=self.question,
            other_case=facts.get("other_case"),
            facts=loaded,
            four_eyes=city.four_eyes,
            calendar=city.version,
            mayor_unit=self._mayor(),
            refusal_reasons=city.refusal_reasons,
            root_causes=city.root_causes,
        )

    def _mayor(self) -> str | None:
        mayor, city = self.city_context.mayor_unit, self.city_context.city
        return mayor if mayor in city.units and self.case.unit not in city.tree.above(mayor) else None

    def staff(
        self, actor: Actor, command: tracking.StaffCommand, days: int = 0, at: datetime | None = None, **facts: Any
    ) -> None:
        """A command of staff after so many working days, in office hours; or at a moment."""
        at = at or self._in_office(days)
        self.take(COMMANDS.act(self.case, command, self.context(actor, at, **facts)), actor, at)

    def by_citizen(self, command: tracking.CitizenCommand, days: int) -> None:
        """A command of the citizen, days later, on any day."""
        day = day_of(self.at) + days * ONE_DAY
        at = datetime.combine(day, time(self._rng.randint(9, 21), self._rng.randint(0, 45)), TEHRAN).astimezone(UTC)
        self._until(at := max(at, self.in_a_moment()))
        self.take(COMMANDS.act_as_citizen(self.case, command, self.context(self.citizen, at)), self.citizen, at)

    def take(self, change: Change, actor: Actor, at: datetime) -> None:
        """Records a change as record.py writes it."""
        self.at = at
        visit = self.visit if self.visit is not None and self.visit.state in visits.OPEN else None
        if visit is not None and change.case.stage not in OPEN_STAGES and self.case.stage in OPEN_STAGES:
            end = visits.ended(change.case, visit, at)
            if end is not None:
                change = replace(
                    change, entries=[*change.entries, *end.entries], effects=(*change.effects, *end.effects)
                )
        before = [{"entry": entry.entry, "stage": entry.stage} for entry, _, _ in self.entries]
        entries, events = lines(change, actor, at, before)
        self.case = written(change, entries)
        self.entries += entries
        self.events += events
        for effect in change.effects:
            self._write(effect, at)

    def _write(self, effect: Effect, at: datetime) -> None:
        """Records an effect as its writer does."""
        if isinstance(effect, VisitSaved):
            self.visit = effect.visit
        elif isinstance(effect, QuestionAsked):
            question = self.question = effect.question
            open_still = {"case_id": self.case.case_id, "answer": None, "answered_at": None, "lapsed_at": None}
            self.questions[question.question_id] = {**vars(question), "media": list(question.media), **open_still}
        elif isinstance(effect, QuestionLapsed):
            self.questions[effect.question_id] |= {"lapsed_at": at}
            self.question = None
        elif isinstance(effect, QuestionAnswered):
            self.questions[effect.question_id] |= {"answer": effect.answer, "answered_at": at}
            self.question = None
        elif isinstance(effect, RecommendationsIssued):
            for row in self.recommended.values():
                if effect.supersedes and row["state"] in OPEN_RECOMMENDATIONS:
                    row |= {"state": "superseded", "settled_at": at}
            self._record_recommendations(effect.recommendations, at)
        elif isinstance(effect, RecommendationsChanged):
            self._record_recommendations(effect.recommendations, at)

    def _record_recommendations(self, recommendations: Iterable[IssuedRecommendation], at: datetime) -> None:
        for recommendation in recommendations:
            new = {"case_id": self.case.case_id, "made_at": at, "reported_at": None, "settled_at": None}
            row = self.recommended.get(recommendation.recommendation_id, new) | vars(recommendation)
            if recommendation.state.startswith("reported"):
                row["reported_at"] = at
            if recommendation.state in ("done", "declined"):
                row["settled_at"] = at
            self.recommended[recommendation.recommendation_id] = row

    def _recommendation(self, recommendation_id: UUID) -> IssuedRecommendation:
        row = self.recommended[recommendation_id]
        return IssuedRecommendation(**{name: row[name] for name in IssuedRecommendation.__dataclass_fields__})

    # --- time ---

    def in_a_moment(self) -> datetime:
        return self.at + timedelta(seconds=self._rng.uniform(60, 900))

    def _in_office(self, days: int) -> datetime:
        """A moment in office hours so many working days on; what the calendar does before is done."""
        workdays = self.city_context.city.workdays
        day = workdays.after(day_of(self.at), days)
        if not workdays.works(day):
            day = workdays.after(day, 1)
        clocked = time(self._rng.randint(8, 13), self._rng.randint(0, 45), self._rng.randint(0, 59))
        at = datetime.combine(day, clocked, TEHRAN)
        if at <= self.at:
            later = self.in_a_moment().astimezone(TEHRAN)
            at = later if later.hour < 14 else datetime.combine(workdays.after(day, 1), clocked, TEHRAN)
        moment = at.astimezone(UTC) + timedelta(microseconds=self._rng.randrange(1_000_000))
        self._until(moment)
        return moment

    def _until(self, at: datetime) -> None:
        self._calendar(min(at, self.city_context.until))
        if at > self.city_context.until:
            raise _EndOfTime

    def _calendar(self, before: datetime) -> None:
        """What the scheduler does until then: warnings, escalations, the end; recommendations that are overdue."""
        while True:
            late = [
                row["due_on"] + ONE_DAY
                for row in self.recommended.values()
                if row["state"] == "open" and not row["escalated"]
            ]
            days = [day for day in (self.case.next_check_on, *late) if day is not None]
            if not days:
                return
            at = max(_begins(min(days)), self.at) + timedelta(seconds=self._rng.uniform(0.1, 2))
            if at > before:
                return
            context = self.context(BY_CALENDAR, at)
            if self.case.next_check_on == min(days):
                self.take(deadlines.raise_due_alarms(self.case, context), BY_CALENDAR, at)
            else:
                open_recommendations = [
                    self._recommendation(recommendation_id) for recommendation_id in self.recommended
                ]
                self.take(decisions.overdue(self.case, open_recommendations, day_of(at)), BY_CALENDAR, at)


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), TEHRAN).astimezone(UTC)


def _refusal(reason: RefusalReason) -> tracking.Refuse:
    return tracking.Refuse(reason=reason, explanation=texts.REFUSALS[reason])


def _rating(rng: Random) -> tracking.Rate:
    score = rng.choices((1, 2, 3, 4, 5), (18, 12, 20, 26, 24))[0]
    good = score > 2
    return tracking.Rate(
        score=score, informed_clearly=good, treated_well=good, on_time=rng.random() < 0.7, asked_improper=False
    )


def _hex64() -> str:
    return uuid4().hex + uuid4().hex


PATHS: Mapping[str, int] = {"decided": 74, "refused": 9, "withdrawn": 5, "objected": 9, "merged": 3}
"""How many of a hundred cases take each course; `merged`: another case about the same is merged into it."""


def play(city_context: CityContext, rng: Random, complaints: list[Complaint], filed_at: datetime) -> list[CaseHistory]:
    """One history; or two, of which the second is merged into the first."""
    path = rng.choices(list(PATHS), list(PATHS.values()))[0]
    complaint = rng.choice(complaints)
    history = CaseHistory(city_context, rng, complaint, filed_at)
    histories = [history]
    if path == "merged":
        history.twin = CaseHistory(city_context, rng, complaint, filed_at + timedelta(minutes=3))
        histories.append(history.twin)
        history.play(path)
        if history.twin.case.stage is Stage.REGISTERED:
            history.twin.play("refused")
        return histories
    history.play(path)
    return histories
