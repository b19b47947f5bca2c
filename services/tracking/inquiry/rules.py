"""What helps an inspector along: notes that mention others, reminders, a checklist, cases that belong together. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from contracts.tracking import AddCheck, AddNote, CaseReminded, LinkCase, NoteAdded, Remind, TickCheck
from services.tracking.case.lifecycle import Case, Change, Context, Reminder, TimelineEntry
from services.tracking.case.transitions import change_of, leads_to, wrong

MOST_CHECKS = 50
MOST_LINKS = 50


def add_note(case: Case, command: AddNote, context: Context) -> Change:
    """Those mentioned are told, so they must be such as may see the case."""
    mentioned = list(dict.fromkeys(command.mentions))
    if not set(mentioned) <= context.may_see:
        raise wrong("command.mentions", "may_not_see_it")
    details = {"text": command.text, **({"mentions": [str(one) for one in mentioned]} if mentioned else {})}
    return change_of(case, case, "note_added", NoteAdded, details=details, fields={"mentions": mentioned})


def remind(case: Case, command: Remind, context: Context) -> Change:
    """On a day to come."""
    if command.on <= context.today:
        raise wrong("command.on", "not_to_come")
    reminder = Reminder(context.new_id, UUID(context.actor.id), command.on, command.text)
    details = {"on": command.on.isoformat(), "text": command.text}
    return change_of(case, case, "reminder_set", NoteAdded, details=details, reminder=reminder)


def reminded(case: Case, those: Iterable[Reminder]) -> Change:
    """The day of these reminders has come."""
    steps = [
        TimelineEntry(
            "reminded", case, CaseReminded, {"staff": str(one.staff_id), "text": one.text}, {"staff": one.staff_id}
        )
        for one in those
    ]
    return Change(case, steps)


def add_check(case: Case, command: AddCheck, context: Context) -> Change:
    """At the end of the list."""
    leads_to(case, command.type)
    if len(case.checklist) >= MOST_CHECKS:
        raise wrong("command.text", "too_many")
    item = {"item_id": str(context.new_id), "text": command.text, "done": False}
    after = replace(case, checklist=(*case.checklist, item))
    return change_of(case, after, "check_added", NoteAdded, details={"item_id": item["item_id"], "text": command.text})


def tick_check(case: Case, command: TickCheck, context: Context) -> Change:
    """Done, or not done after all."""
    wanted = str(command.item_id)
    found = next((item for item in case.checklist if item["item_id"] == wanted), None)
    if found is None:
        raise wrong("command.item_id", "unknown_item")
    if found["done"] == command.done:
        raise wrong("command", "changes_nothing")
    ticked = {"item_id": wanted, "text": found["text"], "done": command.done}
    if command.done:
        ticked |= {"done_by": context.actor.id, "done_at": context.now.isoformat()}
    checklist = tuple(ticked if item is found else item for item in case.checklist)
    details = {"item_id": wanted, "done": command.done}
    return change_of(case, replace(case, checklist=checklist), "check_ticked", NoteAdded, details=details)


def link_case(case: Case, command: LinkCase, context: Context) -> Change:
    """With a case that the giver may know of."""
    if context.target is None:
        raise wrong("command.to", "unknown_case")
    if context.target.case_id == case.case_id:
        raise wrong("command.to", "itself")
    return linked(case, context.target, command.linked)


def linked(case: Case, other: Case, together: bool) -> Change:
    """One side of a link; the other case gets the same."""
    name = str(other.case_id)
    if (name in case.links) == together:
        raise wrong("command", "changes_nothing")
    if together and len(case.links) >= MOST_LINKS:
        raise wrong("command.to", "too_many")
    links = (*case.links, name) if together else tuple(one for one in case.links if one != name)
    entry = "linked" if together else "unlinked"
    return change_of(case, replace(case, links=links), entry, NoteAdded, details={"case_id": name})
