"""What helps an inspector along: notes that mention, reminders, a checklist, linked cases; one sentence each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.errors import InvalidField, NotAllowed, WrongStage
from contracts.tracking import AddCheck, AddNote, LinkCase, Remind, TickCheck
from contracts.vocabulary import Stage
from services.tracking.case.lifecycle import Case
from services.tracking.inquiry import rules as inquiry
from tests.support.cases import HEAD, INSPECTOR, OTHER, SCREENER, act, case
from tests.support.changes import sure


def investigated(**changes: Any) -> Case:
    return case(Stage.INVESTIGATING, handler=INSPECTOR, **changes)


def test_only_who_may_see_the_case_is_mentioned_and_each_once() -> None:
    note = AddNote(text="x", mentions=[HEAD, HEAD])
    change = act(investigated(), note, INSPECTOR, may_see=frozenset({HEAD}))
    assert change.entries[0].fields == {"mentions": [HEAD]}
    with pytest.raises(InvalidField):
        act(investigated(), AddNote(text="x", mentions=[OTHER]), INSPECTOR, may_see=frozenset({HEAD}))


def test_a_reminder_is_for_its_giver_on_a_day_to_come() -> None:
    change = act(investigated(), Remind(on=date(2026, 11, 22), text="x"), INSPECTOR)
    reminder = sure(change, inquiry.ReminderSet).reminder
    assert (reminder.staff_id, reminder.on) == (INSPECTOR, date(2026, 11, 22))
    with pytest.raises(InvalidField):
        act(investigated(), Remind(on=date(2026, 11, 21), text="x"), INSPECTOR)


def test_a_checklist_grows_and_its_items_are_ticked_and_unticked() -> None:
    one = act(act(investigated(), AddCheck(text="a")).case, AddCheck(text="b")).case
    first, second = (UUID(item["item_id"]) for item in one.checklist)
    ticked = act(one, TickCheck(item_id=second, done=True), INSPECTOR).case
    assert [(item["text"], item["done"]) for item in ticked.checklist] == [("a", False), ("b", True)]
    assert ticked.checklist[1]["done_by"] == str(INSPECTOR)
    again = act(ticked, TickCheck(item_id=second, done=False)).case
    assert again.checklist[1] == {"item_id": str(second), "text": "b", "done": False}
    for command in (TickCheck(item_id=uuid4(), done=True), TickCheck(item_id=first, done=False)):
        with pytest.raises(InvalidField):
            act(one, command)
    full = replace(one, checklist=one.checklist * 25)
    with pytest.raises(InvalidField):
        act(full, AddCheck(text="x"))


def test_two_cases_are_linked_from_both_sides_and_parted_again() -> None:
    one, other = investigated(), case(Stage.DECIDED)
    here = act(one, LinkCase(to=other.case_id), other_case=other).case
    there = inquiry.linked(other, one, True).case
    assert (here.links, there.links) == ((str(other.case_id),), (str(one.case_id),))
    with pytest.raises(InvalidField):
        act(here, LinkCase(to=other.case_id), other_case=other)
    assert act(here, LinkCase(to=other.case_id, linked=False), other_case=other).case.links == ()
    for target in (None, one):
        with pytest.raises(InvalidField):
            act(one, LinkCase(to=one.case_id), other_case=target)


@pytest.mark.parametrize("command", [AddCheck(text="x"), Remind(on=date(2027, 1, 1), text="x")])
def test_all_this_is_the_inspectors_own_and_the_heads_while_the_case_is_at_work(command: Any) -> None:
    act(investigated(), command, INSPECTOR)
    for who in (OTHER, SCREENER):
        with pytest.raises(NotAllowed):
            act(investigated(), command, who)
    with pytest.raises(WrongStage):
        act(case(Stage.CLOSED), command, HEAD)
