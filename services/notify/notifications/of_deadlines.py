"""Notifications of deadlines: to those who have to act, before and after."""

from __future__ import annotations

from typing import Any

from contracts.tracking import CaseEscalated, DeadlineWarned
from services.notify.notifications.recipients import (
    CASE_HANDLER,
    CASE_HANDLER_BESIDE_HEADS,
    HEADS,
    MAYORS_OFFICE,
    SCREENERS,
    UNIT_ASKED,
)
from services.notify.notifications.rules import INBOX, Notification
from services.notify.wording.values import DUE_DATE, KIND, NUMBER

_STEP_OF_STAFF = (KIND, DUE_DATE, NUMBER)
_STEP_WITHOUT_DATE = (KIND, NUMBER)


def _step(event: CaseEscalated) -> str:
    """What the time of was over: a step, or the mayor's office when the case went up to it."""
    return "mayor" if event.level == "mayor" else event.step


def _warned(event: DeadlineWarned) -> str:
    """Of which step the time is nearly over; `unassigned`: the decision of a case that nobody handles yet."""
    return "unassigned" if event.step == "decision" and event.state.handler is None else event.step


DEADLINES: tuple[Notification[Any], ...] = (
    Notification(
        DeadlineWarned,
        "deadline_near",
        CASE_HANDLER,
        INBOX,
        _STEP_OF_STAFF,
        condition=lambda event: _warned(event) == "decision",
    ),
    Notification(
        DeadlineWarned,
        "deadline_near",
        SCREENERS,
        INBOX,
        _STEP_OF_STAFF,
        condition=lambda event: _warned(event) == "unassigned",
    ),
    Notification(
        DeadlineWarned,
        "reading_near",
        SCREENERS,
        INBOX,
        _STEP_OF_STAFF,
        condition=lambda event: _warned(event) == "first_reading",
    ),
    Notification(
        DeadlineWarned,
        "answer_near",
        UNIT_ASKED,
        INBOX,
        (DUE_DATE,),
        condition=lambda event: _warned(event) == "unit",
    ),
    Notification(
        DeadlineWarned,
        "citizen_silent",
        CASE_HANDLER,
        INBOX,
        _STEP_WITHOUT_DATE,
        condition=lambda event: _warned(event) == "citizen",
    ),
    Notification(
        CaseEscalated,
        "deadline_passed",
        HEADS,
        INBOX,
        _STEP_OF_STAFF,
        condition=lambda event: _step(event) == "decision",
    ),
    Notification(
        CaseEscalated,
        "reading_late",
        HEADS,
        INBOX,
        _STEP_WITHOUT_DATE,
        condition=lambda event: _step(event) == "first_reading",
    ),
    Notification(
        CaseEscalated, "unit_late", HEADS, INBOX, _STEP_OF_STAFF, condition=lambda event: _step(event) == "unit"
    ),
    Notification(
        CaseEscalated,
        "unit_late",
        CASE_HANDLER_BESIDE_HEADS,
        INBOX,
        _STEP_OF_STAFF,
        condition=lambda event: _step(event) == "unit",
    ),
    Notification(
        CaseEscalated, "sent_up", HEADS, INBOX, _STEP_OF_STAFF, condition=lambda event: _step(event) == "mayor"
    ),
    Notification(
        CaseEscalated, "sent_up", MAYORS_OFFICE, INBOX, _STEP_OF_STAFF, condition=lambda event: _step(event) == "mayor"
    ),
    Notification(
        CaseEscalated,
        "recommendation_late",
        HEADS,
        INBOX,
        _STEP_OF_STAFF,
        condition=lambda event: _step(event) == "recommendation",
    ),
    Notification(
        CaseEscalated,
        "recommendation_overdue",
        UNIT_ASKED,
        INBOX,
        (DUE_DATE,),
        condition=lambda event: _step(event) == "recommendation",
    ),
)
