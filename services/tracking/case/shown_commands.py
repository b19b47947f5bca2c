"""What whoever reads a case may do with it, by the rules that execution asks (services/tracking/rules.py). It costs no statement:
everything is judged by what the view has read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from contracts.tracking import ShownCommand
from services.tracking.case.access import Reader
from services.tracking.case.context import Contexts, ViewedFacts
from services.tracking.case.lifecycle import Case, Question
from services.tracking.rules import COMMANDS

ViewParts = Mapping[str, Any]
ViewedFactsOf = Callable[[Case, ViewParts], Any]
"""A capability's facts, of the parts of a view of the case."""


class ShownCommands:
    """`facts`: of each capability whose commands are judged by more than the case."""

    def __init__(self, contexts: Contexts, facts: Sequence[ViewedFactsOf]) -> None:
        self._contexts, self._facts = contexts, facts

    def today(self) -> date:
        """The day it is in Tehran."""
        return self._contexts.today()

    def of(self, reader: Reader, case: Case, parts: ViewParts, names: Mapping[str, str]) -> list[ShownCommand]:
        """Every command that this member of staff could ever give, and whether they can now. None to who must not know of the
        case any more, and sees it this once after their own command. `names`: of members of staff, by their ids."""
        if not reader.scope.knows(case):
            return []
        view = ViewedFacts(open_question(parts["questions"] or []), tuple(of(case, parts) for of in self._facts))
        context = self._contexts.for_view(reader.city, reader.actor, reader.member, case, view)
        return [_named(command, names) for command in COMMANDS.shown_to_staff(case, context)]


def _named(command: ShownCommand, names: Mapping[str, str]) -> ShownCommand:
    """With the names of the members of staff who may be chosen."""
    if not command.choices:
        return command
    called = {field: {id_: names.get(id_, what) for id_, what in of.items()} for field, of in command.choices.items()}
    return command.model_copy(update={"choices": called})


@dataclass(frozen=True)
class Reading:
    """Who reads a case, for what its view says to them."""

    reader: Reader
    commands: ShownCommands


def open_question(lines: Sequence[Mapping[str, Any]]) -> Question | None:
    """Of the questions in a view, the one that waits for its answer."""
    line = next((line for line in lines if line["answered_at"] is None and line["lapsed_at"] is None), None)
    if line is None:
        return None
    # A command has just asked it: then the line holds what others have as JSON.
    due_on, asked_at = line["due_on"], line["asked_at"]
    return Question(
        UUID(str(line["question_id"])),
        line["unit"],
        line["text"],
        asked_at if isinstance(asked_at, datetime) else datetime.fromisoformat(asked_at),
        due_on if isinstance(due_on, date) else date.fromisoformat(due_on),
        tuple(line["media"]),
    )
