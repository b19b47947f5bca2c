"""What a change of rules would do, shown to the administrator before it is saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from backbone.storage import cursors
from contracts.errors import InvalidField, NotAllowed
from contracts.gateway import Actor
from contracts.intake import SetDeadlines, SetDecisions, SetRetention
from contracts.rule_previews import DueErasure, MovedCase, PreviewRules, RulesPreview
from contracts.vocabulary import ActorKind, KeptPart, Role
from services.tracking.case.access import Access
from services.tracking.case.context import Clock
from services.tracking.case.deadlines import alarms, due_date
from services.tracking.case.lifecycle import Case
from services.tracking.reference.catalogue import CatalogueCopy, CityCatalogue
from services.tracking.reference.workdays import Deadlines, Rule, day_of
from services.tracking.retention import store as retention_store
from services.tracking.retention.rules import rules_by_filing
from services.tracking.rule_previews import rules, store

MOST_DAYS, MOST_MONTHS = 250, 600
"""As intake accepts them."""


class RulePreviews:
    """The use case."""

    def __init__(self, access: Access, catalogue: CatalogueCopy, clock: Clock) -> None:
        self._access, self._catalogue, self._clock = access, catalogue, clock

    def preview(self, connection: Connection, request: PreviewRules) -> RulesPreview:
        """NotAllowed for anybody but the administrator; InvalidField for days or months out of range, and for a cursor."""
        actor, change = request.actor, request.change
        if actor.kind is not ActorKind.STAFF or Role.ADMINISTRATOR not in actor.roles:
            raise NotAllowed
        if mistakes := list(_out_of_range(change)):
            raise InvalidField(fields=mistakes)
        conflict_free = self._access.conflict_free_scope(connection, actor).condition()
        city = self._catalogue.current(connection)
        shown = RulesPreview(open_cases=store.open_cases(connection, conflict_free))
        match change:
            case SetRetention():
                return shown.model_copy(update={"erased": self._erased(connection, change, city, conflict_free)})
            case _ if change.applies_to == "new":
                return shown
            case SetDeadlines():
                return self._moved(connection, request, change, city, shown, conflict_free)
            case SetDecisions():
                return shown.model_copy(update=self._decided(connection, change, city, conflict_free))

    def _moved(
        self,
        connection: Connection,
        request: PreviewRules,
        change: SetDeadlines,
        city: CityCatalogue,
        shown: RulesPreview,
        known: store.Known,
    ) -> RulesPreview:
        after = None if request.after is None else cursors.decode(request.after)
        today = day_of(self._clock())
        deadlines = with_rules(city.deadlines, change)
        groups = store.alike(connection, known)
        totals = rules.totals(groups, deadlines, city.workdays, today)
        scope = self._scope(connection, request.actor)
        page = []
        if scope is not None:
            days = rules.new_days(groups, deadlines)
            page = store.page_of_moved(connection, scope, days, after, request.limit + 1)
        items = [_moved_case(case, deadlines, city, today) for case in page[: request.limit]]
        last = page[request.limit - 1] if len(page) > request.limit else None
        preview = {"moved": totals.moved, "late_at_once": totals.late_at_once, "by": totals.by, "items": items}
        return shown.model_copy(
            update={**preview, "next": None if last is None else cursors.encode(last.filed_at, last.case_id)}
        )

    def _scope(self, connection: Connection, actor: Actor) -> store.Known | None:
        """Which cases the administrator may know of by another role; None for one who has no such role."""
        try:
            return self._access.scope(connection, actor).condition()
        except NotAllowed:
            return None

    def _decided(
        self, connection: Connection, change: SetDecisions, city: CityCatalogue, known: store.Known
    ) -> dict[str, int]:
        added = dropped = 0
        if change.four_eyes is not None:  # else each case keeps those it has
            befores = [before for before, _ in city.earlier_four_eyes]
            kinds = [*(kinds for _, kinds in city.earlier_four_eyes), city.four_eyes]
            for kind, place, count in store.undecided(connection, known, befores):
                added += count if kind in change.four_eyes and kind not in kinds[place] else 0
                dropped += count if kind not in change.four_eyes and kind in kinds[place] else 0
        return {
            "approvals_added": added,
            "approvals_dropped": dropped,
            "closed_at_once": self._closed_at_once(connection, change, city, known),
        }

    def _closed_at_once(
        self, connection: Connection, change: SetDecisions, city: CityCatalogue, known: store.Known
    ) -> int:
        if change.auto_close_days is None:
            return 0
        deadlines = replace(city.deadlines, auto_close=change.auto_close_days, earlier_auto_close=())
        today = day_of(self._clock())
        return sum(
            _is_closed(case, deadlines, city, today) and not _is_closed(case, city.deadlines, city, today)
            for case in store.ending(connection, known)
        )

    def _erased(
        self, connection: Connection, change: SetRetention, city: CityCatalogue, known: store.Known
    ) -> list[DueErasure]:
        now = self._clock()
        rows = [rule.model_dump(mode="json") for rule in change.retention]
        earlier: list[dict[str, Any]] = []
        if change.applies_to == "new":
            earlier = [*city.earlier_retention, {"before": now.isoformat(), "retention": city.retention}]
        before = self._due(connection, city.retention, city.earlier_retention, now, known)
        after = self._due(connection, rows, earlier, now, known)
        return [DueErasure(part=part, cases=after.get(part, 0), before=before.get(part, 0)) for part in KeptPart]

    @staticmethod
    def _due(connection: Connection, rows: Any, earlier: Any, now: datetime, known: store.Known) -> dict[KeptPart, int]:
        counts: dict[KeptPart, int] = {}
        for rule in rules_by_filing(rows, earlier):
            due = retention_store.count_due(connection, rule, rule.ended_before(now), known)
            counts[rule.part] = counts.get(rule.part, 0) + due
        return counts


def with_rules(deadlines: Deadlines, change: SetDeadlines) -> Deadlines:
    """The deadlines with the rules of a change in place of those there are."""
    given = (Rule(rule.step, rule.days, rule.kind, rule.ground, rule.urgent) for rule in change.deadlines)
    return replace(deadlines, rules=tuple(given))


def _moved_case(case: Case, deadlines: Deadlines, city: CityCatalogue, today: date) -> MovedCase:
    assert case.due_from is not None
    days = deadlines.days("decision", case.kind, case.ground, case.urgent)
    after = due_date(city.workdays, case.due_from, days, case.pauses)
    return MovedCase(
        case_id=case.case_id,
        number=case.number,
        kind=case.kind,
        due_on=case.expected_on,
        due_on_after=after,
        late_at_once=case.expected_on is not None and case.expected_on >= today > after,
    )


def _is_closed(case: Case, deadlines: Deadlines, city: CityCatalogue, today: date) -> bool:
    return any(alarm.step == "close" and alarm.day <= today for alarm in alarms(case, city.workdays, deadlines))


def _out_of_range(change: SetDeadlines | SetDecisions | SetRetention) -> Iterator[dict[str, Any]]:
    """What intake would refuse, and could not be computed."""
    match change:
        case SetDeadlines():
            numbers = [(f"deadlines.{place}.days", rule.days, MOST_DAYS) for place, rule in enumerate(change.deadlines)]
        case SetDecisions():
            days = change.auto_close_days
            numbers = [] if days is None else [("auto_close_days", days, MOST_DAYS)]
        case SetRetention():
            numbers = [
                (f"retention.{place}.{name}", months, MOST_MONTHS)
                for place, rule in enumerate(change.retention)
                for name in ("identity_months", "evidence_months", "text_months")
                if (months := getattr(rule, name)) is not None
            ]
    for field, number, most in numbers:
        if number < 1:
            yield {"field": field, "reason": "greater_than_equal", "ge": 1}
        if number > most:
            yield {"field": field, "reason": "less_than_equal", "le": most}
