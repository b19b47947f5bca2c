"""Answers to inbound texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.notify.inbound.events import CodeReceived, ReplyReceived, TextNotUnderstood
from services.notify.notifications.recipients import INBOUND_HANDSET
from services.notify.notifications.rules import SMS, Notification
from services.notify.wording.rules import Value
from services.notify.wording.values import ANSWER_DATE, ENDING, ENDINGS, OUTCOME, STAGE


def _for_result(event: type[Any], result: str, name: str, values: Sequence[Value] = (ENDING,)) -> Notification[Any]:
    """The SMS that answers a text which led to this result."""
    return Notification(
        event, name, INBOUND_HANDSET, SMS, values, condition=lambda event: event.result == result, urgent=True
    )


INBOUND_TEXTS: tuple[Notification[Any], ...] = (
    _for_result(CodeReceived, "known", "status", (STAGE, ANSWER_DATE, ENDING)),
    _for_result(CodeReceived, "decided", "status_decided", (OUTCOME, ENDING)),
    _for_result(CodeReceived, "registering", "still_registering"),
    _for_result(CodeReceived, "bad_code", "code_not_found", ()),
    _for_result(ReplyReceived, "satisfied", "rating_thanks"),
    _for_result(ReplyReceived, "object", "objection_taken"),
    _for_result(ReplyReceived, "resume", "case_resumed"),
    _for_result(ReplyReceived, "known", "reply_known"),
    _for_result(ReplyReceived, "rating_late", "rating_closed"),
    _for_result(ReplyReceived, "object_late", "objection_closed"),
    _for_result(ReplyReceived, "object_known", "objection_known"),
    _for_result(ReplyReceived, "object_final", "objection_final"),
    _for_result(ReplyReceived, "no_effect", "reply_without_effect"),
    _for_result(ReplyReceived, "which", "which_decision", (ENDINGS,)),
    _for_result(ReplyReceived, "which_code", "which_code"),
    _for_result(ReplyReceived, "unclear", "reply_unclear"),
    _for_result(ReplyReceived, "no_decision", "no_decision_waits", ()),
    Notification(TextNotUnderstood, "help", INBOUND_HANDSET, SMS, urgent=True),
)
