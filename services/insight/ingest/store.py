"""Queries that keep the facts, one line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, update

from backbone.storage import bulk
from services.insight.models import facts, notifications, transitions, visits


def keep_newest_facts(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Cases as of these events, one row a case; a case of which a later event is known stays as it is."""
    if not rows:
        return
    changed = ", ".join(f"{name} = excluded.{name}" for name in rows[0] if name != "case_id")
    newest = f"ON CONFLICT (case_id) DO UPDATE SET {changed} WHERE excluded.sequence >= facts.sequence"
    bulk.insert(connection, facts, rows, newest)


def keep_newest_decision(connection: Connection, decision: dict[str, Any]) -> None:
    """When a case was decided last; a decision that came after this one stays."""
    connection.execute(
        update(facts)
        .where(facts.c.case_id == decision["case_id"])
        .where(func.coalesce(facts.c.decided_sequence, -1) < decision["decided_sequence"])
        .values(decided_at=decision["decided_at"], decided_sequence=decision["decided_sequence"])
    )


def keep_visits(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Visits as of these events, one row a visit; how it ended stays as of a later event, and when it was asked for is kept
    once."""
    if not rows:
        return
    newer = "{0} = CASE WHEN excluded.sequence >= visits.sequence THEN excluded.{0} ELSE visits.{0} END"
    first = "{0} = coalesce(visits.{0}, excluded.{0})"
    changed = [newer.format(name) for name in ("ended", "ended_on", "ended_month")]
    changed += [first.format(name) for name in ("asked_on", "asked_month")]
    changed.append("sequence = greatest(excluded.sequence, visits.sequence)")
    bulk.insert(connection, visits, rows, f"ON CONFLICT (visit_id) DO UPDATE SET {', '.join(changed)}")


def add_transitions(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """What happened to cases, each event once."""
    if rows:
        bulk.insert(connection, transitions, rows, "ON CONFLICT DO NOTHING")


def add_notifications(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """What became of messages, each event once."""
    if rows:
        bulk.insert(connection, notifications, rows, "ON CONFLICT DO NOTHING")
