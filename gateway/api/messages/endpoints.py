"""Messages in the inbox: of a case by its code, of a signed-in citizen, and of staff."""

from __future__ import annotations

from fastapi import APIRouter

from contracts import notify
from gateway.api.messages.bodies import ReadBody
from gateway.api.request_endpoints import (
    BEARER,
    CITIZEN,
    PAGE,
    STAFF,
    RequestEndpoint,
    Rpc,
    Sender,
    View,
    register_requests,
)
from gateway.cases.views import MessagePageView, message_page_view

router = APIRouter()


def _inbox(
    path: str, *, tag: str, sender: Sender, listing: tuple[str, str], marking: tuple[str, str]
) -> tuple[RequestEndpoint, RequestEndpoint]:
    """GET `path` and POST `path`/read. `listing`: operation id and summary; `marking`: operation id and whose ids count."""
    list_messages = RequestEndpoint(
        f"GET {path}",
        listing[0],
        listing[1],
        "Newest first. `next` is the `after` of the following page.",
        sender,
        Rpc("notify.list_messages", notify.ListMessages, notify.MessagePage),
        view=View(MessagePageView, message_page_view),
        tags=(tag,),
        parameters=PAGE,
    )
    mark_read = RequestEndpoint(
        f"POST {path}/read",
        marking[0],
        "These messages have been read",
        f"Ids that are not {marking[1]} are passed over.",
        sender,
        Rpc("notify.mark_read", notify.MarkRead, notify.MessagePage),
        view=View(MessagePageView, message_page_view),
        tags=(tag,),
        body=ReadBody,
    )
    return list_messages, mark_read


register_requests(
    router,
    *_inbox(
        "/tracking/messages",
        tag="tracking",
        sender=BEARER,
        listing=("listMessagesByCode", "What the office wrote about this case"),
        marking=("markMessagesReadByCode", "of this case"),
    ),
    *_inbox(
        "/me/messages",
        tag="me",
        sender=CITIZEN,
        listing=("listOwnMessages", "What the office wrote to me"),
        marking=("markOwnMessagesRead", "mine"),
    ),
    *_inbox(
        "/messages",
        tag="cases",
        sender=STAFF,
        listing=("listMessages", "My inbox as staff"),
        marking=("markMessagesRead", "mine"),
    ),
)
