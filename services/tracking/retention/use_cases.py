"""What of an ended case has been kept long enough goes: here its own part of it, elsewhere by `case.retention_due.v1`.

Any number of processes do this at once: each takes cases that no other holds, and what goes, the line of the timeline that
records it and the event are one transaction. Figures remain: kind, unit, ground, stages, days, outcome, causes, score.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backbone.process import logs
from backbone.storage.database import is_outage
from contracts.tracking import RetentionDue
from contracts.vocabulary import KeptPart
from services.tracking.case.context import Clock
from services.tracking.case.lifecycle import Case
from services.tracking.case.record import Recorder
from services.tracking.case.scheduler import BY_CALENDAR, MOST
from services.tracking.case.timeline import remains
from services.tracking.case.transitions import change_of
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.retention import store
from services.tracking.retention.rules import Rule, erased, rules_by_filing

log = logs.get("retention")

NOTED_AT_ONCE = 500


class RetentionUseCases:
    """The use cases of the purge. Each does one transaction's worth; how many cases it was done with."""

    def __init__(self, catalogue: CatalogueCopy, recorder: Recorder, clock: Clock) -> None:
        self._catalogue, self._recorder, self._clock = catalogue, recorder, clock

    def note_ends(self, connection: Connection) -> int:
        """Cases of which it is not noted yet when they ended."""
        return store.note_ends(connection, NOTED_AT_ONCE)

    def erase(self, connection: Connection) -> int:
        """Parts of cases that have been kept long enough by today's rules."""
        now = self._clock()
        city = self._catalogue.current(connection)
        for rule in rules_by_filing(city.retention, city.earlier_retention):
            due = store.lock_due(connection, rule, rule.ended_before(now), MOST)
            done = sum(self._erase_one(connection, case, ended_at, rule, now) for case, ended_at in due)
            if done:
                return done
        return 0

    def _erase_one(self, connection: Connection, case: Case, ended_at: datetime, rule: Rule, now: datetime) -> bool:
        """One that cannot be done stops no other."""
        try:
            with connection.begin_nested():
                self._part_goes(connection, case, ended_at, rule, now)
                return True
        except Exception as error:
            if isinstance(error, DBAPIError) and is_outage(error):
                raise
            log.exception("a part of a case could not be erased", case_id=str(case.case_id), part=rule.part)
            return False

    def _part_goes(self, connection: Connection, case: Case, ended_at: datetime, rule: Rule, now: datetime) -> None:
        store.note_erased(connection, case.case_id, rule.part, now)
        media: list[str] = []
        if rule.part is KeptPart.IDENTITY:
            if case.anonymous and case.citizen_id is None:
                return  # nobody was known
            store.forget_citizen(connection, case.case_id)
            case = replace(case, citizen_id=None)
        elif rule.part is KeptPart.EVIDENCE:
            media = store.forget_media(connection, case.case_id, now)
            if not media:
                return
        else:
            store.forget_texts(connection, case)
            case = _without_texts(case)
        lines = self._lines_go(connection, case.case_id, rule.part)
        details = {
            "what": rule.part,
            "rule": {"kind": rule.kind, "outcome": rule.outcome, "months": rule.months},
            "ended_at": ended_at.isoformat(),
            "media": len(media),
            "lines": lines,
        }
        about = {"part": rule.part, "months": rule.months, "rule_outcome": rule.outcome, "ended_at": ended_at}
        change = change_of(case, case, "erased", RetentionDue, details=details, fields={**about, "media": media})
        self._recorder.record(connection, change, BY_CALENDAR, now)

    def _lines_go(self, connection: Connection, case_id: UUID, part: KeptPart) -> dict[str, list[str]]:
        """What goes from the timeline; for the chain, what was each such line's hash and what is that of the rest."""
        entries = store.entries_of(connection, case_id)
        left = erased((entry for entry, _ in entries), part)
        store.keep_of_entries(connection, left)
        hashes = {entry.sequence: own for entry, own in entries}
        return {str(entry.sequence): [hashes[entry.sequence], remains(hashes[entry.sequence], entry)] for entry in left}


def _without_texts(case: Case) -> Case:
    return replace(
        case,
        reasons=None if case.reasons is None else "",
        recommendations=(),
        proposal=None,
        checklist=(),
        refusal_explanation=None,
        refusal_address=None,
    )
