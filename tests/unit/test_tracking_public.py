"""What of a timeline its citizen notices: the beginning of inquiry and review, and nothing of who in the office does it."""

from __future__ import annotations

from typing import get_args

import pytest

from contracts.tracking import StaffCommand
from services.tracking.case.lifecycle import PUBLIC_ENTRIES
from services.tracking.case.public_view import CHANGES_VIEW, noticed


def lines(*notations: str) -> list[dict[str, str]]:
    return [dict(zip(("entry", "stage"), line.split("@"), strict=True)) for line in notations]


def seen(*notations: str) -> list[str]:
    return [line["entry"] for line in noticed(lines(*notations))]


def test_an_assignment_is_visible_when_inquiry_or_review_begins() -> None:
    notations = (
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
    assert seen(*notations) == [
        *("opened", "screening_started", "assigned", "unit_asked", "unit_answered", "decided", "objected"),
        *("assigned", "decided"),
    ]


@pytest.mark.parametrize(
    "entry",
    [
        *("note_added", "evidence_added", "reminder_set", "check_added", "linked", "deadline_warned", "escalated"),
        *(
            "co_handler_added",
            "co_handler_removed",
            "colleague_consulted",
            "consultation_answered",
            "consultation_ended",
        ),
    ],
)
def test_internal_entries_change_no_public_count(entry: str) -> None:
    before = ("opened@registered", "screening_started@screening", "assigned@investigating")
    assert len(seen(*before, f"{entry}@investigating")) == len(seen(*before))
    assert seen(*before, f"{entry}@investigating", "decided@decided") == seen(*before, "decided@decided")


def test_rescheduling_and_erasure_are_counted_and_not_shown() -> None:
    assert {"rescheduled", "erased"} == CHANGES_VIEW - PUBLIC_ENTRIES
    assert seen("opened@registered", "rescheduled@registered") == ["opened", "rescheduled"]


def test_every_staff_command_is_considered() -> None:
    """A new one says here whether the citizen notices it (test_tracking_public.py of the component tests gives it)."""
    union = get_args(get_args(StaffCommand)[0])
    considered = {
        *("start_screening", "correct", "refuse", "merge", "assign", "ask_citizen", "ask_unit", "add_note"),
        *("add_evidence", "decide", "propose", "approve", "return_proposal", "settle_recommendation", "remind"),
        *("add_check", "tick_check", "link_case", "close", "reopen", "return_to_screening"),
        "settle_early",
        *("add_co_handler", "remove_co_handler", "consult_colleague", "answer_consultation", "end_consultation"),
    }
    types = {str(cls.model_fields["type"].default) for cls in union}
    assert considered <= types
    assert {name for name in types - considered if "visit" not in name} == {"offer_slots"}
