"""What keeps the facts, one line of comment each: parts of one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backbone.storage import writes
from backbone.storage.writes import Write
from services.insight.models import facts, notifications, transitions, visits

_IS_NEWER = "excluded.sequence >= facts.sequence"
_IS_DECIDED = "excluded.decided_sequence > coalesce(facts.decided_sequence, -1)"
_IS_RATED = "excluded.rated_sequence > coalesce(facts.rated_sequence, -1)"
_CONDITIONS = {
    **dict.fromkeys(("decided_at", "decided_on", "decided_sequence", "settled_early"), _IS_DECIDED),
    **dict.fromkeys(("rated_on", "rated_sequence", "rated_by_phone"), _IS_RATED),
}


def keeping_newest_facts(rows: Sequence[dict[str, Any]]) -> list[Write]:
    """Cases as of these events and as decided and rated last, one row a case. Of a case of which a later event is known its facts
    stay; of one that was decided or rated again, its decision or rating."""
    if not rows:
        return []
    changed = ", ".join(
        f"{name} = CASE WHEN {_CONDITIONS.get(name, _IS_NEWER)} THEN excluded.{name} ELSE facts.{name} END"
        for name in rows[0]
        if name != "case_id"
    )
    newest = f"ON CONFLICT (case_id) DO UPDATE SET {changed} WHERE {_IS_NEWER} OR {_IS_DECIDED} OR {_IS_RATED}"
    return writes.insert(facts, rows, newest)


def keeping_visits(rows: Sequence[dict[str, Any]]) -> list[Write]:
    """Visits as of these events, one row a visit; how it ended stays as of a later event, and when it was asked for is kept
    once."""
    newer = "{0} = CASE WHEN excluded.sequence >= visits.sequence THEN excluded.{0} ELSE visits.{0} END"
    first = "{0} = coalesce(visits.{0}, excluded.{0})"
    changed = [newer.format(name) for name in ("ended", "ended_on", "ended_month")]
    changed += [first.format(name) for name in ("asked_on", "asked_month")]
    changed.append("sequence = greatest(excluded.sequence, visits.sequence)")
    return writes.insert(visits, rows, f"ON CONFLICT (visit_id) DO UPDATE SET {', '.join(changed)}")


def adding_transitions(rows: Sequence[dict[str, Any]]) -> list[Write]:
    """What happened to cases, each event once."""
    return writes.insert(transitions, rows, "ON CONFLICT DO NOTHING")


def adding_notifications(rows: Sequence[dict[str, Any]]) -> list[Write]:
    """What became of messages, each event once."""
    return writes.insert(notifications, rows, "ON CONFLICT DO NOTHING")
