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

LIAISON = sa.text("roles @> '[\"liaison\"]'::jsonb")
"""Staff who answer for their unit and those below it; written out, so that the index of just these is found."""

EXPORT_UNFINISHED = sa.text("state IN ('waiting', 'running')")
"""Exports that are still being made."""
