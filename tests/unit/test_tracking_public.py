"""What of a timeline its citizen notices: the beginning of inquiry and review, and nothing of who in the office does it."""

from __future__ import annotations

from typing import get_args

import pytest

from contracts.tracking import StaffCommand
from services.tracking.case.lifecycle import PUBLIC_ENTRIES
from services.tracking.case.public_view import CHANGES_VIEW, noticed


def lines(*told: str) -> list[dict[str, str]]:
    return [dict(zip(("entry", "stage"), one.split("@"), strict=True)) for one in told]


def seen(*told: str) -> list[str]:
    return [line["entry"] for line in noticed(lines(*told))]


def test_an_assignment_is_noticed_where_inquiry_or_review_begins() -> None:
    told = (
        "opened@registered",
        "screening_started@screening",
        "assigned@investigating",
        "note_added@investigating",
        "assigned@investigating",
        "unit_asked@awaiting_unit",
        "assigned@awaiting_unit",
        "unit_answered@investigating",
        "decided@decided",
        "objected@review",
        "assigned@review",
        "assigned@review",
        "decided@decided",
    )
    assert seen(*told) == [
        *("opened", "screening_started", "assigned", "unit_asked", "unit_answered", "decided", "objected"),
        *("assigned", "decided"),
    ]


@pytest.mark.parametrize(
    "entry", ["note_added", "evidence_added", "reminder_set", "check_added", "linked", "deadline_warned", "escalated"]
)
def test_what_the_office_does_for_itself_changes_no_count(entry: str) -> None:
    before = ("opened@registered", "screening_started@screening", "assigned@investigating")
    assert len(seen(*before, f"{entry}@investigating")) == len(seen(*before))
    assert seen(*before, f"{entry}@investigating", "decided@decided") == seen(*before, "decided@decided")


def test_another_day_and_texts_whose_time_is_over_are_counted_and_not_shown() -> None:
    assert {"rescheduled", "erased"} == CHANGES_VIEW - PUBLIC_ENTRIES
    assert seen("opened@registered", "rescheduled@registered") == ["opened", "rescheduled"]


def test_every_command_of_staff_is_one_that_was_thought_of() -> None:
    """A new one says here whether the citizen notices it (test_tracking_public.py of the component tests gives it)."""
    union = get_args(get_args(StaffCommand)[0])
    known = {
        *("start_screening", "correct", "refuse", "merge", "assign", "ask_citizen", "ask_unit", "add_note"),
        *("add_evidence", "decide", "propose", "approve", "return_proposal", "settle_recommendation", "remind"),
        *("add_check", "tick_check", "link_case", "close"),
    }
    types = {str(cls.model_fields["type"].default) for cls in union}
    assert known <= types
    assert {name for name in types - known if "visit" not in name} == {"offer_slots"}
