"""Answers to inbound texts."""

from __future__ import annotations

from typing import Any

from services.notify.inbound.events import CodeReceived, ReplyReceived, TextNotUnderstood
from services.notify.notifications.recipients import INBOUND_HANDSET
from services.notify.notifications.rules import SMS, Notification
from services.notify.wording.values import ANSWER_DATE, OUTCOME, STAGE

INBOUND_TEXTS: tuple[Notification[Any], ...] = (
    Notification(
        CodeReceived,
        "status",
        INBOUND_HANDSET,
        SMS,
        (STAGE, ANSWER_DATE),
        condition=lambda event: event.result == "known",
        urgent=True,
    ),
    Notification(
        CodeReceived,
        "status_decided",
        INBOUND_HANDSET,
        SMS,
        (OUTCOME,),
        condition=lambda event: event.result == "decided",
        urgent=True,
    ),
    Notification(
        CodeReceived,
        "still_registering",
        INBOUND_HANDSET,
        SMS,
        condition=lambda event: event.result == "registering",
        urgent=True,
    ),
    Notification(
        CodeReceived,
        "code_not_found",
        INBOUND_HANDSET,
        SMS,
        condition=lambda event: event.result == "bad_code",
        urgent=True,
    ),
    Notification(
        ReplyReceived,
        "rating_thanks",
        INBOUND_HANDSET,
        SMS,
        condition=lambda event: event.result == "satisfied",
        urgent=True,
    ),
    Notification(
        ReplyReceived,
        "objection_closed",
        INBOUND_HANDSET,
        SMS,
        condition=lambda event: event.result == "object_late",
        urgent=True,
    ),
    Notification(TextNotUnderstood, "help", INBOUND_HANDSET, SMS, urgent=True),
)
