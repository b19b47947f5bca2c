"""What tracking does with other services' events: opens cases in batches, keeps its copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from backbone.messaging import outbox
from backbone.persian import jalali
from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.accounts import CitizenAccountDeleted, StaffChanged
from contracts.base import Event
from contracts.intake import CatalogueChanged, SubmissionRegistered
from contracts.leaves import LeaveChanged
from services.tracking.case import rules, store
from services.tracking.case.context import Clock, Contexts
from services.tracking.case.record import Recorder
from services.tracking.case.registration import case_of_submission, filed_by, opening_of, row_of
from services.tracking.evidence import store as evidence_store
from services.tracking.evidence.store import media_rows
from services.tracking.reference import store as reference_store
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.visits import rules as visits


class EventHandlers:
    """The handlers of events of intake and accounts; media's are evidence's, and notify's the citizens'."""

    def __init__(
        self,
        catalogue: CatalogueCopy,
        contexts: Contexts,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self._catalogue, self._contexts, self._recorder = catalogue, contexts, recorder
        self._clock = clock

    def open_cases(self, connection: Connection, events: Sequence[SubmissionRegistered]) -> list[str]:
        """Opens a case for each submission that has none, and publishes it; each statement is a transaction. A repeated event
        changes nothing: its case is there. Of their uploads those that are refused, to be reported."""
        # Sorted: two replicas never wait for each other's rows in a circle.
        filed = sorted({event.case_id: event for event in events}.values(), key=lambda event: event.case_id)
        numbers = self._numbers(connection, filed)
        try:
            self._open(connection, filed, numbers)
        except IntegrityError:
            opened = store.existing_cases(connection, numbers)
            new = [event for event in filed if event.case_id not in opened]
            if len(new) == len(filed):
                raise  # a code belongs to another case
            self._open(connection, new, numbers)
        return evidence_store.refused(connection, [upload_id for event in filed for upload_id in event.uploads])

    def _numbers(self, connection: Connection, filed: Sequence[SubmissionRegistered]) -> dict[UUID, str]:
        """The numbers of their cases, in the order in which they were filed."""
        numbers: dict[UUID, str] = {}
        in_order = sorted(filed, key=lambda event: (jalali.year(jalali.today(event.filed_at)), event.case_id))
        for year, group in groupby(in_order, key=lambda event: jalali.year(jalali.today(event.filed_at))):
            of_year = list(group)
            first = store.take_numbers(connection, year, len(of_year))
            numbers |= {event.case_id: f"{year}-{first + place:06d}" for place, event in enumerate(of_year)}
        return numbers

    def _open(self, connection: Connection, filed: Sequence[SubmissionRegistered], numbers: Mapping[UUID, str]) -> None:
        if not filed:
            return
        moment, city = self._clock(), self._catalogue.current(connection)
        rows: list[Mapping[str, Any]] = []
        others: list[Write] = evidence_store.ensuring_states(upload for event in filed for upload in event.uploads)
        published: list[Event] = []
        for event in filed:
            case = rules.opened(case_of_submission(event, numbers[event.case_id]), city.workdays, city.deadlines)
            change = opening_of(replace(case, calendar=city.version), event)
            if event.visit_wanted:
                requested = visits.ask(change.case, None, moment, uuid4())
                change = replace(change, entries=[*change.entries, *requested.entries], effects=requested.effects)
            recording = self._recorder.prepare(change, filed_by(event), moment, [])
            rows.append(row_of(recording.case, event, moment))
            others += [
                *recording.writes,
                *evidence_store.adding(media_rows(event.case_id, event.uploads, 1, at=event.filed_at)),
            ]
            published += recording.events
        writes.execute(connection, store.opening(rows), [*others, *outbox.write(published)])

    def keep_catalogue(self, connection: Connection, event: CatalogueChanged) -> None:
        """Our copy of units, grounds and holidays; an older version changes nothing."""
        reference_store.keep_catalogue(connection, event.catalogue)
        self._catalogue.expire()

    def keep_staff(self, connection: Connection, event: StaffChanged | LeaveChanged | CitizenAccountDeleted) -> None:
        """Who may be made handler, which unit they belong to, and who stands in for them while they are away; and whose account
        is gone, so that no case is shown as theirs."""
        if isinstance(event, CitizenAccountDeleted):
            store.forget_account(connection, event.citizen_id)
        elif isinstance(event, LeaveChanged):
            reference_store.keep_leave(connection, event)
        else:
            reference_store.keep_staff(connection, event)
