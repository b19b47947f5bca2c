"""The texts of notifications, for the administrator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from contracts import notify
from gateway.api.notification_texts.bodies import PreviewBody, TextBody
from gateway.api.request_endpoints import (
    ADMINISTRATOR,
    HISTORY_PAGE,
    Field,
    RequestEndpoint,
    Rpc,
    Success,
    register_requests,
)

router = APIRouter(prefix="/notification-texts", tags=["notification texts"])

_TEXT = {
    "channel": Field(notify.MessageChannel),
    "name": Field(Annotated[notify.TextName, Path(description="Its name; see the list.")]),
}
_ANSWERED = Success(description="The text", etag=True)


register_requests(
    router,
    RequestEndpoint(
        "GET",
        "listNotificationTexts",
        "All messages' words",
        "As they are sent, with what may stand in braces in each.",
        ADMINISTRATOR,
        Rpc("notify.list_notification_texts", notify.ListNotificationTexts, notify.NotificationTexts),
    ),
    RequestEndpoint(
        "GET /history",
        "listNotificationTextHistory",
        "Who changed which words",
        "Newest first, before and after.",
        ADMINISTRATOR,
        Rpc(
            "notify.list_notification_text_history", notify.ListNotificationTextHistory, notify.NotificationTextHistory
        ),
        parameters=HISTORY_PAGE,
    ),
    RequestEndpoint(
        "PUT /{channel}/{name}",
        "changeNotificationText",
        "Other words for a message",
        "From the next message on. An SMS has no link, its code on a line of its own, and at most two parts.",
        ADMINISTRATOR,
        Rpc("notify.change_notification_text", notify.ChangeNotificationText, notify.NotificationText),
        parameters=_TEXT,
        body=TextBody,
        success=_ANSWERED,
    ),
    RequestEndpoint(
        "POST /{channel}/{name}/preview",
        "previewNotificationText",
        "A message as its reader has it",
        """In both languages, with sample values or given ones, and of an SMS its encoding and parts, also with the longest
        values. What could not be stored is refused as there, but for a text that is only too long. Nothing is stored.""",
        ADMINISTRATOR,
        Rpc("notify.preview_notification_text", notify.PreviewNotificationText, notify.NotificationTextPreview),
        parameters=_TEXT,
        body=PreviewBody,
    ),
    RequestEndpoint(
        "DELETE /{channel}/{name}",
        "restoreNotificationText",
        "The words that are shipped",
        "From the next message on.",
        ADMINISTRATOR,
        Rpc("notify.change_notification_text", notify.ChangeNotificationText, notify.NotificationText),
        parameters=_TEXT,
        success=_ANSWERED,
    ),
)
