"""Which entries of a case's timeline its citizen may notice, and how those are counted.

The timeline has one sequence, in which the office's own entries (notes, reminders, another inspector) are between the
citizen's. Whoever holds the code counts public entries alone: a gap would reveal a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.tracking.case.lifecycle import PUBLIC_ENTRIES

CHANGES_VIEW = PUBLIC_ENTRIES | {"rescheduled", "erased"}
"""Entries that are shown, and those that are not but change what is: the day expected, texts whose time is over."""


def noticed(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of these entries (`entry`, `stage`, by sequence; those of `CHANGES_VIEW` at least) the ones after which the citizen's view
    is another one. Who of the office handles a case is its own affair: an assignment is shown as the beginning of the inquiry,
    or of the review of an objection, and not when the case only goes from one inspector to another."""
    entries_noticed: list[Mapping[str, Any]] = []
    stage, objected = None, False
    for line in entries:
        entry = line["entry"]
        if entry not in CHANGES_VIEW:
            continue
        if entry == "assigned":
            if line["stage"] == stage and not objected:
                continue
            objected = False
        elif entry == "objected":
            objected = True
        stage = line["stage"]
        entries_noticed.append(line)
    return entries_noticed
