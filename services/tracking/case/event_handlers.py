"""What tracking does with what others say: opens cases in batches, keeps its copies, takes answers by SMS."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import inbox, outbox
from backbone.messaging.consumers import TryLater
from backbone.persian import jalali
from contracts.accounts import StaffChanged
from contracts.base import now
from contracts.errors import WrongStage
from contracts.gateway import Actor
from contracts.intake import CatalogueChanged, SubmissionRecoded, SubmissionRegistered
from contracts.media import ClaimRefused, MediaAccepted, MediaDelayed, MediaNote, MediaRejected, UploadState
from contracts.notify import CitizenReplied, Reply
from contracts.tracking import CaseOpened, CitizenCommand, Object, Rate
from contracts.vocabulary import OPEN_STAGES, ActorKind, Stage
from services.tracking.case import rules as domain
from services.tracking.case import store
from services.tracking.case.lifecycle import ASKED, SHIPPED_CAUSES, SHIPPED_REASONS, Case, Context, Listed, Step
from services.tracking.case.record import event_of, media_rows, record
from services.tracking.case.timeline import FIRST, Entry, link
from services.tracking.evidence import store as evidence
from services.tracking.reference.unit_tree import Tree
from services.tracking.reference.workdays import Deadlines, Rule, Workdays
from services.tracking.search.queries import searchable
from services.tracking.settings import Settings
from services.tracking.visits import rules as visits_domain
from services.tracking.visits import store as visits_store

Clock = Callable[[], datetime]
BY_SMS = Actor(kind=ActorKind.BEARER, id="sms")
BY_MEDIA = Actor(kind=ActorKind.SYSTEM, id="media")
OBJECTION_BY_SMS = "اعتراض با پاسخ پیامکی"

_FILED = (
    *(
        "case_id",
        "code_hash",
        "kind",
        "unit",
        "unit_asked",
        "unit_name_fa",
        "unit_name_en",
        "ground",
        "answers",
    ),
    *(
        "text",
        "happened_on",
        "place",
        "reference",
        "people",
        "visit_wanted",
        "channel",
        "language",
        "anonymous",
        "consent",
    ),
    *("citizen_id", "filed_at"),
)


@dataclass(frozen=True)
class City:
    """What the catalogue of one version says, for the rules."""

    version: int
    workdays: Workdays
    tree: Tree
    units: dict[str, Any]
    deadlines: Deadlines
    four_eyes: frozenset[str] = frozenset()
    retention: tuple[dict[str, Any], ...] = ()
    refusal_reasons: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_REASONS)
    root_causes: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_CAUSES)


class Tracking:
    """The use cases of one process; keeps the catalogue in memory and reads it again when its version has grown."""

    def __init__(self, settings: Settings, clock: Clock = now) -> None:
        self.clock = clock
        self.deadlines = settings.deadlines
        self.lead = settings.visit_lead
        self._weekend = settings.weekend
        self._city: City | None = None
        self._look_again = 0.0

    def city(self, connection: Connection) -> City:
        """The city as our copy of the catalogue has it, looked at again each second: a command asks three times."""
        if self._city is not None and time.monotonic() < self._look_again:
            return self._city
        version = store.catalogue_version(connection)
        self._look_again = time.monotonic() + 1.0
        if self._city is None or self._city.version != version:
            units = {row.code: row for row in store.all_units(connection)}
            days, rules = store.calendar(connection)
            weekend = frozenset(rules.get("weekend", self._weekend))
            if len(weekend) >= 7:  # no day would ever come
                weekend = self._weekend
            workdays = Workdays(weekend, frozenset(date.fromisoformat(day) for day in days))
            tree = Tree({code: row.parent for code, row in units.items()})
            deadlines = replace(
                self.deadlines,
                rules=tuple(
                    Rule(row["step"], row["days"], row.get("kind"), row.get("ground"), row.get("urgent"))
                    for row in rules.get("deadlines", ())
                ),
                auto_close=rules.get("auto_close_days", self.deadlines.auto_close),
            )
            self._city = City(
                version,
                workdays,
                tree,
                units,
                deadlines,
                frozenset(rules.get("four_eyes", ())),
                tuple(rules.get("retention", ())),
                _listed(rules.get("refusal_reasons"), SHIPPED_REASONS),
                _listed(rules.get("root_causes"), SHIPPED_CAUSES),
            )
        return self._city

    def context(self, connection: Connection, actor: Actor, case: Case | None) -> Context:
        """What every command is judged by; the rest depends on the command."""
        city = self.city(connection)
        return Context(
            actor=actor,
            now=self.clock(),
            workdays=city.workdays,
            deadlines=city.deadlines,
            calendar=city.version,
            four_eyes=city.four_eyes,
            refusal_reasons=city.refusal_reasons,
            root_causes=city.root_causes,
            new_id=uuid4(),
            question=store.open_question(connection, case.case_id) if case and case.stage in ASKED else None,
        )

    # --- intake ---

    def open_cases(self, connection: Connection, events: Sequence[SubmissionRegistered]) -> None:
        """Opens a case for each submission that has none, and says so. What came before changes nothing."""
        new = {event.case_id: event for event in inbox.unseen(connection, "tracking.registrations", events)}
        # Sorted: two replicas never wait for each other's rows in a circle.
        filed = sorted(new.values(), key=lambda event: (jalali.year(jalali.today(event.filed_at)), event.case_id))
        if not filed:
            return
        moment = self.clock()
        city = self.city(connection)
        uploads = [upload_id for event in filed for upload_id in event.uploads]
        evidence.expect(connection, uploads)
        opening: dict[UUID, tuple[Case, tuple[Entry, str, str], SubmissionRegistered]] = {}
        for year, group in groupby(filed, key=lambda event: jalali.year(jalali.today(event.filed_at))):
            of_year = list(group)
            first = store.take_numbers(connection, year, len(of_year))
            for place, event in enumerate(of_year):
                case = domain.opened(case_of(event, f"{year}-{first + place:06d}"), city.workdays, city.deadlines)
                case = replace(case, calendar=city.version)
                entry = opening_of(event, moment)
                head = link(FIRST, entry)
                opening[case.case_id] = (
                    replace(case, version=1, history_hash=head),
                    (entry, FIRST, head),
                    event,
                )
        added = store.add_cases(connection, [row_of(case, event, moment) for case, _, event in opening.values()])
        passed = set(opening) - added
        if passed - store.known_cases(connection, passed):
            raise RuntimeError("a case could not be opened: its code belongs to another case")
        opened = [opening[case_id] for case_id in opening if case_id in added]
        store.add_entries(connection, [entry for _, entry, _ in opened])
        store.add_attachments(
            connection,
            [row for case, _, event in opened for row in media_rows(case.case_id, event.uploads, 1)],
        )
        outbox.add(connection, *(event_of(Step("opened", case, CaseOpened), 1, moment, 1) for case, _, _ in opened))
        for case, (entry, _, _), event in (opening[case_id] for case_id in opening if case_id in added):
            if event.visit_wanted:
                asked = visits_domain.ask(case, None, moment, uuid4())
                visits_store.save(connection, asked.visit)
                record(connection, asked.turn, Actor(kind=ActorKind(entry.actor_kind), id=str(entry.actor_id)), moment)
        self.tell_refusals(connection, uploads)

    def recode(self, connection: Connection, event: SubmissionRecoded) -> None:
        """A case answers to its new code, once there is one."""
        if not store.known_cases(connection, [event.case_id]):
            raise TryLater("the case is not open yet")
        if inbox.first_time(connection, "tracking.recoded", event.id):
            store.recode(connection, event.case_id, event.old_code_hash, event.code_hash)

    def keep_catalogue(self, connection: Connection, event: CatalogueChanged) -> None:
        """Our copy of units, grounds and holidays; an older version is old news."""
        store.keep_catalogue(connection, event.catalogue)
        self._look_again = 0.0

    # --- media and accounts ---

    def keep_media(
        self, connection: Connection, events: Sequence[MediaAccepted | MediaRejected | MediaDelayed | ClaimRefused]
    ) -> None:
        """What became of media, of cases open or not yet; the latest word counts, in whatever order it comes."""
        refused = [event for event in events if isinstance(event, ClaimRefused)]
        evidence.expect(connection, [event.media_id for event in events])  # all of them in one order
        if states := [_media_state(event) for event in events if not isinstance(event, ClaimRefused)]:
            store.keep_media_states(connection, states)
        evidence.withhold(
            connection, [event.model_dump(include={"case_id", "media_id", "reason"}) for event in refused]
        )
        self.tell_refusals(connection, [event.media_id for event in events if not isinstance(event, MediaAccepted)])

    def tell_refusals(self, connection: Connection, media_ids: Sequence[str]) -> None:
        """Those of these that are refused are told to the citizens who sent them, once; `evidence.expect` came before."""
        if not media_ids:
            return
        for case_id, candidates in evidence.untold(connection, media_ids).items():
            case = store.lock(connection, case_id)
            media, first = evidence.take_untold(connection, case_id, candidates)
            if case is None or not media or case.stage not in OPEN_STAGES:
                continue
            context = self.context(connection, BY_MEDIA, case)
            record(connection, domain.refuse_evidence(case, media, first), BY_MEDIA, context.now)

    def keep_staff(self, connection: Connection, event: StaffChanged) -> None:
        """Who may be made handler, and which unit they belong to."""
        store.keep_staff(connection, event)

    # --- notify ---

    def take_reply(self, connection: Connection, event: CitizenReplied) -> None:
        """1 rates with 5, 2 objects; where that cannot be done (any more), it is noted and nothing else."""
        case = store.lock(connection, event.case_id)
        if case is None:
            raise TryLater("the case is not open yet")
        if not inbox.first_time(connection, "tracking.replies", event.id):
            return
        context = self.context(connection, BY_SMS, case)
        command: CitizenCommand = Rate(score=5) if event.reply is Reply.SATISFIED else Object(text=OBJECTION_BY_SMS)
        try:
            turn = domain.act_as_citizen(case, command, context)
        except WrongStage:
            turn = domain.note(case, {"reply": event.reply})
        record(connection, turn, BY_SMS, context.now, context.question)


def _listed(rows: Sequence[Mapping[str, Any]] | None, otherwise: Mapping[str, Listed]) -> Mapping[str, Listed]:
    """A list of the catalogue by code. It is never empty: an entry is closed, not taken away; so an empty one says nothing."""
    if not rows:
        return otherwise
    return {row["code"]: Listed(row["name_fa"], row["name_en"], row["active"]) for row in rows}


def case_of(event: SubmissionRegistered, number: str) -> Case:
    """The case of a submission, before its clock is set."""
    return Case(
        case_id=event.case_id,
        number=number,
        code_hash=event.code_hash,
        kind=event.kind,
        unit=event.unit,
        unit_name_fa=event.unit_name_fa,
        unit_name_en=event.unit_name_en,
        ground=event.ground,
        stage=Stage.REGISTERED,
        channel=event.channel,
        anonymous=event.anonymous,
        filed_at=event.filed_at,
        citizen_id=event.citizen_id,
    )


def opening_of(event: SubmissionRegistered, moment: datetime) -> Entry:
    """The first entry; with the hash of what was filed, the chain vouches for the text too."""
    kind = ActorKind.CITIZEN if event.citizen_id else ActorKind.BEARER
    by = str(event.citizen_id) if event.citizen_id else event.code_hash
    details: dict[str, Any] = {
        "content_hash": event.content_hash,
        "unit_asked": event.unit_asked,
        "uploads": list(event.uploads),
    }
    if event.group is not None:
        details["group_members"] = event.group.members
    if event.consent is not None:
        details["consent"] = event.consent.model_dump(mode="json")
    return Entry(event.case_id, 1, "opened", kind, by, moment, Stage.REGISTERED, details)


def row_of(case: Case, event: SubmissionRegistered, moment: datetime) -> dict[str, Any]:
    """A case as it is stored when it is opened."""
    return {
        **vars(case),
        **event.model_dump(mode="json", include=set(_FILED)),
        "group_members": event.group.members if event.group else None,
        "group_common": event.group.common if event.group else None,
        "search": searchable(case.number, event.text),
        "opened_at": moment,
    }


def _media_state(event: MediaAccepted | MediaRejected | MediaDelayed) -> dict[str, Any]:
    told = {"media_id": event.media_id, "told_at": event.occurred_at}
    nothing_yet = told | {"media_type": None, "size": None, "variants": [], "reason": None, "notes": []}
    if isinstance(event, MediaDelayed):
        return nothing_yet | {"state": UploadState.PROCESSING, "notes": [MediaNote.CHECK_DELAYED]}
    if isinstance(event, MediaRejected):
        return nothing_yet | {"state": UploadState.REJECTED, "reason": event.reason}
    return told | {
        "state": UploadState.ACCEPTED,
        "media_type": event.media_type,
        "size": event.size,
        "variants": [str(variant) for variant in event.variants],
        "reason": None,
        "notes": [str(note) for note in event.notes],
    }
