"""Conditions on rows that stand in partial indexes, written out: a query with the same words is answered by that index."""

from __future__ import annotations

import sqlalchemy as sa

NOT_OVER = sa.text("stage NOT IN ('closed', 'merged', 'withdrawn')")
"""Cases to which the calendar may still say something; written out, so that the index of just these is always found."""

OVER = sa.text("stage IN ('closed', 'merged', 'withdrawn')")
"""Cases that have ended."""

IN_HAND = sa.text("handler IS NOT NULL AND stage NOT IN ('closed', 'merged', 'withdrawn', 'decided', 'refused')")
"""Open cases that an inspector has in hand."""

OPEN = sa.text("stage IN ('registered', 'screening', 'investigating', 'awaiting_citizen', 'awaiting_unit', 'review')")
"""Cases that go on."""

HAS_COLLEAGUES = sa.text("colleagues <> '[]'")
"""Open cases that further inspectors see."""

EXPECTED = f"(coalesce(CASE WHEN paused_on IS NULL AND {OPEN.text} THEN due_on END, DATE '9999-12-31'))"
"""The day a decision is owed, and long after all days where none is; written out for the index, too."""

NUMBER_ORDER = "(substr(number, 1, 5) || lpad(substr(number, 6), 9, '0'))"
"""A case number as it sorts: its last part has six digits, and more in a year of a million cases."""

CHANGED = "(coalesce(changed_at, opened_at))"
"""When the case last changed, as far as that is noted yet."""

UNMARKED = sa.text(
    "mark_on IS NULL AND due_from IS NOT NULL AND due_days IS NOT NULL AND due_on IS NOT NULL AND paused_on IS NULL"
    f" AND {OPEN.text}"
)
"""Open cases of before the 80 % mark was kept."""

LIAISON = sa.text("roles @> '[\"liaison\"]'::jsonb")
"""Staff who answer for their unit and those below it; written out, so that the index of just these is found."""

EXPORT_UNFINISHED = sa.text("state IN ('waiting', 'running')")
"""Exports that are still being made."""
