"""What tracking does with other services' events: opens cases in batches, keeps its copies, takes answers by SMS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import inbox, outbox
from backbone.messaging.consumers import TryLater
from backbone.persian import jalali
from backbone.storage.hash_chain import FIRST_HASH
from contracts.accounts import StaffChanged
from contracts.errors import WrongStage
from contracts.gateway import Actor
from contracts.intake import CatalogueChanged, SubmissionRecoded, SubmissionRegistered
from contracts.notify import CitizenReplied, Reply
from contracts.tracking import CaseOpened, CitizenCommand, RaiseObjection, Rate
from contracts.vocabulary import ActorKind
from services.tracking.case import rules, store
from services.tracking.case.context import Clock, Contexts
from services.tracking.case.lifecycle import Case, StoredEntry, TimelineEntry
from services.tracking.case.record import Recorder, event_of
from services.tracking.case.registration import case_of_submission, opening_of, row_of
from services.tracking.case.timeline import link
from services.tracking.evidence import store as evidence_store
from services.tracking.evidence.store import media_rows
from services.tracking.evidence.use_cases import EvidenceUseCases
from services.tracking.reference import store as reference_store
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.rules import COMMANDS
from services.tracking.visits import rules as visits

BY_SMS = Actor(kind=ActorKind.BEARER, id="sms")
OBJECTION_BY_SMS = "اعتراض با پاسخ پیامکی"


class EventHandlers:
    """The handlers of events of intake, accounts and notify; media's are evidence's."""

    def __init__(
        self,
        catalogue: CatalogueCopy,
        contexts: Contexts,
        recorder: Recorder,
        evidence: EvidenceUseCases,
        clock: Clock,
    ) -> None:
        self._catalogue, self._contexts, self._recorder = catalogue, contexts, recorder
        self._evidence, self._clock = evidence, clock

    def open_cases(self, connection: Connection, events: Sequence[SubmissionRegistered]) -> None:
        """Opens a case for each submission that has none, and publishes it. A repeated event changes nothing."""
        new = {event.case_id: event for event in inbox.unseen(connection, "tracking.registrations", events)}
        # Sorted: two replicas never wait for each other's rows in a circle.
        filed = sorted(new.values(), key=lambda event: (jalali.year(jalali.today(event.filed_at)), event.case_id))
        if not filed:
            return
        moment = self._clock()
        city = self._catalogue.current(connection)
        uploads = [upload_id for event in filed for upload_id in event.uploads]
        evidence_store.ensure_states(connection, uploads)
        opening: dict[UUID, tuple[Case, tuple[StoredEntry, str, str], SubmissionRegistered]] = {}
        for year, group in groupby(filed, key=lambda event: jalali.year(jalali.today(event.filed_at))):
            of_year = list(group)
            first = store.take_numbers(connection, year, len(of_year))
            for place, event in enumerate(of_year):
                case = rules.opened(
                    case_of_submission(event, f"{year}-{first + place:06d}"), city.workdays, city.deadlines
                )
                case = replace(case, calendar=city.version)
                entry = opening_of(event, moment)
                head = link(FIRST_HASH, entry)
                opening[case.case_id] = (
                    replace(case, version=1, history_hash=head),
                    (entry, FIRST_HASH, head),
                    event,
                )
        added = store.add_cases(connection, [row_of(case, event, moment) for case, _, event in opening.values()])
        passed = set(opening) - added
        if passed - store.known_cases(connection, passed):
            raise RuntimeError("a case could not be opened: its code belongs to another case")
        opened = [opening[case_id] for case_id in opening if case_id in added]
        store.add_entries(connection, [entry for _, entry, _ in opened])
        evidence_store.add_attachments(
            connection,
            [row for case, _, event in opened for row in media_rows(case.case_id, event.uploads, 1)],
        )
        outbox.add(
            connection, *(event_of(TimelineEntry("opened", case, CaseOpened), 1, moment, 1) for case, _, _ in opened)
        )
        for case, (entry, _, _), event in (opening[case_id] for case_id in opening if case_id in added):
            if event.visit_wanted:
                change = visits.ask(case, None, moment, uuid4())
                by = Actor(kind=ActorKind(entry.actor_kind), id=str(entry.actor_id))
                self._recorder.record(connection, change, by, moment)
        self._evidence.report_refusals(connection, uploads)

    def recode(self, connection: Connection, event: SubmissionRecoded) -> None:
        """A case answers to its new code, once there is one."""
        if not store.known_cases(connection, [event.case_id]):
            raise TryLater("the case is not open yet")
        if inbox.first_time(connection, "tracking.recoded", event.id):
            store.recode(connection, event.case_id, event.old_code_hash, event.code_hash)

    def keep_catalogue(self, connection: Connection, event: CatalogueChanged) -> None:
        """Our copy of units, grounds and holidays; an older version changes nothing."""
        reference_store.keep_catalogue(connection, event.catalogue)
        self._catalogue.expire()

    def keep_staff(self, connection: Connection, event: StaffChanged) -> None:
        """Who may be made handler, and which unit they belong to."""
        reference_store.keep_staff(connection, event)

    def take_reply(self, connection: Connection, event: CitizenReplied) -> None:
        """1 rates with 5, 2 objects; where that cannot be done (any more), it is noted and nothing else."""
        case = store.lock(connection, event.case_id)
        if case is None:
            raise TryLater("the case is not open yet")
        if not inbox.first_time(connection, "tracking.replies", event.id):
            return
        context = self._contexts.of(connection, BY_SMS, case)
        command: CitizenCommand = (
            Rate(score=5) if event.reply is Reply.SATISFIED else RaiseObjection(text=OBJECTION_BY_SMS)
        )
        try:
            change = COMMANDS.act_as_citizen(case, command, context)
        except WrongStage:
            change = rules.note(case, {"reply": event.reply})
        self._recorder.record(connection, change, BY_SMS, context.now)
