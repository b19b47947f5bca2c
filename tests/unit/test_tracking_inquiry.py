"""What helps an inspector along: notes that mention, reminders, a checklist, linked cases; one sentence each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.errors import InvalidField, NobodyAnswersForUnit, NotAllowed, WrongStage
from contracts.tracking import AddCheck, AddNote, AskUnit, LinkCase, Remind, TickCheck
from contracts.vocabulary import Stage
from services.tracking.case.lifecycle import Case
from services.tracking.inquiry import rules as inquiry
from tests.support.cases import HEAD, INSPECTOR, OTHER, SCREENER, act, case
from tests.support.changes import sure
from texts.errors import error_text


def investigated(**changes: Any) -> Case:
    return case(Stage.INVESTIGATING, handler=INSPECTOR, **changes)


def test_only_staff_who_may_see_the_case_are_mentioned_each_once() -> None:
    note = AddNote(text="x", mentions=[HEAD, HEAD])
    change = act(investigated(), note, INSPECTOR, may_see=frozenset({HEAD}))
    assert change.entries[0].fields == {"mentions": [HEAD]}
    with pytest.raises(InvalidField):
        act(investigated(), AddNote(text="x", mentions=[OTHER]), INSPECTOR, may_see=frozenset({HEAD}))


def test_a_reminder_is_for_its_creator_on_a_future_day() -> None:
    change = act(investigated(), Remind(on=date(2026, 11, 22), text="x"), INSPECTOR)
    reminder = sure(change, inquiry.ReminderSet).reminder
    assert (reminder.staff_id, reminder.on) == (INSPECTOR, date(2026, 11, 22))
    with pytest.raises(InvalidField):
        act(investigated(), Remind(on=date(2026, 11, 21), text="x"), INSPECTOR)


def test_a_checklist_grows_and_its_items_are_ticked_and_unticked() -> None:
    with_checklist = act(act(investigated(), AddCheck(text="a")).case, AddCheck(text="b")).case
    first, second = (UUID(item["item_id"]) for item in with_checklist.checklist)
    ticked = act(with_checklist, TickCheck(item_id=second, done=True), INSPECTOR).case
    assert [(item["text"], item["done"]) for item in ticked.checklist] == [("a", False), ("b", True)]
    assert ticked.checklist[1]["done_by"] == str(INSPECTOR)
    again = act(ticked, TickCheck(item_id=second, done=False)).case
    assert again.checklist[1] == {"item_id": str(second), "text": "b", "done": False}
    for command in (TickCheck(item_id=uuid4(), done=True), TickCheck(item_id=first, done=False)):
        with pytest.raises(InvalidField):
            act(with_checklist, command)
    full = replace(with_checklist, checklist=with_checklist.checklist * 25)
    with pytest.raises(InvalidField):
        act(full, AddCheck(text="x"))


def test_two_cases_are_linked_from_both_sides_and_unlinked_again() -> None:
    first, second = investigated(), case(Stage.DECIDED)
    here = act(first, LinkCase(to=second.case_id), other_case=second).case
    there = inquiry.linked(second, first, True).case
    assert (here.links, there.links) == ((str(second.case_id),), (str(first.case_id),))
    with pytest.raises(InvalidField):
        act(here, LinkCase(to=second.case_id), other_case=second)
    assert act(here, LinkCase(to=second.case_id, linked=False), other_case=second).case.links == ()
    for target in (None, first):
        with pytest.raises(InvalidField):
            act(first, LinkCase(to=first.case_id), other_case=target)


@pytest.mark.parametrize("command", [AddCheck(text="x"), Remind(on=date(2027, 1, 1), text="x")])
def test_inquiry_commands_are_for_inspector_and_head_while_the_case_is_in_progress(command: Any) -> None:
    act(investigated(), command, INSPECTOR)
    for who in (OTHER, SCREENER):
        with pytest.raises(NotAllowed):
            act(investigated(), command, who)
    with pytest.raises(WrongStage):
        act(case(Stage.CLOSED), command, HEAD)


def test_a_question_that_nobody_would_read_is_not_sent() -> None:
    with pytest.raises(NobodyAnswersForUnit) as raised:
        act(case(Stage.INVESTIGATING, handler=INSPECTOR), AskUnit(text="چرا؟"), INSPECTOR, liaison=False)
    assert raised.value.params == {"unit": "dep", "name_fa": "معاونت", "name_en": "Deputyship"}
    assert error_text(raised.value, "fa").startswith("«معاونت» رابطی ندارد")
    assert error_text(raised.value, "en").startswith("“Deputyship” has no liaison")
