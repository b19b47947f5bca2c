"""Which entries of a case's timeline its citizen may notice, and how those are counted.

The timeline has one sequence, in which the office's own entries (notes, reminders, another inspector) stand between the
citizen's. Whoever holds the code counts public entries alone: a gap would tell of a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.tracking.life import PUBLIC_ENTRIES

CHANGES_VIEW = PUBLIC_ENTRIES | {"rescheduled", "erased"}
"""Entries that are shown, and those that are not but change what is: the day expected, texts whose time is over."""


def is_noticed(entry: str, stage_changed: bool) -> bool:
    """Whether the citizen's view is another one after this entry. Who of the office handles the case is its own affair: an
    assignment is shown as the beginning of the inquiry, and not shown when it only goes from one inspector to another."""
    return entry in CHANGES_VIEW and (entry != "assigned" or stage_changed)


def noticed(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of these entries (`entry`, `stage`, by sequence; those of `CHANGES_VIEW` at least) the ones that the citizen notices."""
    found, stage = [], None
    for line in entries:
        if is_noticed(line["entry"], line["stage"] != stage):
            found.append(line)
            stage = line["stage"]
    return found
