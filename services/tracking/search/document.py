"""What a case is found by: all words that who may read the case may read in it. Pure.

The words are kept normalised in `cases.search`, in lines: the first holds what was filed, each other what was written since (a
note, an answer, reasons). Whoever may read the one and not the others is to be compared with the first line alone. Who filed the
case is in none: tracking does not know it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backbone.persian.normalisation import normalise
from contracts.gateway import AnswerValue
from services.tracking.case.lifecycle import StoredEntry
from services.tracking.messages.rules import unread_when_withdrawn
from services.tracking.retention.rules import WRITTEN

FORM = 1
"""Of what is kept, one higher with each change of it and of `normalise`: cases of an older form are written anew (renewal.py)."""

LINE = "\n"
"""Before what was written since; no normalised text has one."""

_SAID_BEFORE = frozenset({"reminded", "erased"})
"""Entries whose text stands in an earlier one."""


def searchable(number: str, text: str, *others: str) -> str:
    """The first line: with a space at either end, so that each word has one before it."""
    return f" {normalise(' '.join((number, text, *others)))} "


def filed_words(number: str, filed: Mapping[str, Any]) -> str:
    """The first line of a case; `filed`: its columns, as JSON."""
    place = filed["place"] or {}
    others = (
        filed["reference"],
        place.get("address"),
        *filed["people"],
        *_answers(filed["answers"].values()),
        filed["group_common"],
    )
    return searchable(number, filed["text"], *(other for other in others if other))


def _answers(values: Iterable[AnswerValue]) -> Iterator[str]:
    """Extra answers but yes and no, which tell nothing without their question."""
    for value in values:
        if isinstance(value, list):
            yield from map(str, value)
        elif not isinstance(value, bool):
            yield str(value)


def later_words(entries: Iterable[StoredEntry]) -> str:
    """The lines of what was written in these entries of the timeline; empty where nothing was. A message that was taken back
    unread is found by nobody."""
    entries = list(entries)
    unread = unread_when_withdrawn({"entry": entry.entry, "details": entry.details} for entry in entries)
    lines = (
        _written(entry.details)
        for entry in entries
        if entry.entry not in _SAID_BEFORE and entry.details.get("message_id") not in unread
    )
    return "".join(f"{LINE} {words} " for line in lines if (words := normalise(line)))


def _written(details: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for name in sorted(WRITTEN & set(details)):
        value = details[name]
        if isinstance(value, str):
            parts.append(value)
        elif isinstance(value, list):  # recommendations
            parts += [str(item["text"]) for item in value if isinstance(item, dict) and item.get("text")]
    return " ".join(dict.fromkeys(parts))
