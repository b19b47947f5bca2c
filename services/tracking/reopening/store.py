"""What reopening is judged by, and what it writes beside the case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.tracking import Reopen
from services.tracking.case.facts import FactsLoaders, FactsPart, FactsQuery, loaded_as
from services.tracking.case.lifecycle import Case
from services.tracking.case.record import Recorded
from services.tracking.models import cases
from services.tracking.reopening.rules import TAKEN_BACK, ReopeningFacts


def _facts(texts_erased: bool, command: Any, about: FactsQuery) -> ReopeningFacts:
    return ReopeningFacts(texts_erased)


def viewed_facts(case: Case, parts: Mapping[str, Any]) -> ReopeningFacts:
    """Of a view of the case."""
    return ReopeningFacts(parts["texts_erased"])


FACTS_LOADERS: FactsLoaders = {
    Reopen: loaded_as(FactsPart(cases.c.texts_erased_at.is_not(None), lambda command: {}, _facts))
}


def end_is_taken_back(recorded: Recorded) -> tuple[str, ...]:
    """A case that is open again has not ended: nothing of it is erased until it ends once more."""
    reopened = any(entry.entry in TAKEN_BACK.values() for entry in recorded.entries)
    return (cases.c.ended_at.name,) if reopened else ()
