"""The log of messages for the office: what was sent, what failed, and sending it again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from contracts import notification_log
from contracts.vocabulary import Role
from gateway.api.notifications.bodies import NotificationQuery
from gateway.api.request_endpoints import Field, RequestEndpoint, Rpc, Success, register_requests, staff_with

router = APIRouter(prefix="/notifications", tags=["notifications"])

_READERS = staff_with(Role.HEAD, Role.ADMINISTRATOR)

register_requests(
    router,
    RequestEndpoint(
        "GET",
        "listNotifications",
        "Messages, and what became of them",
        """For heads and administrators, newest first; heads alone see of which case one is, and may ask for one case. Of a
        citizen nothing is shown, not even a masked mobile: with a case it would confirm a guess of who complained. Each reading
        is in the audit.""",
        _READERS,
        Rpc(
            "notify.list_notifications",
            notification_log.ListNotifications,
            notification_log.Notifications,
        ),
        query=NotificationQuery,
    ),
    RequestEndpoint(
        "POST /{notification_id}/resend",
        "resendNotification",
        "Send a message that failed once more",
        "Three times at most. 409 `not_resendable` for one that has not failed, and for what cannot be sent to anybody any more.",
        _READERS,
        Rpc(
            "notify.resend_notification",
            notification_log.ResendNotification,
            notification_log.LoggedNotification,
        ),
        parameters={"notification_id": Field(Annotated[UUID, Path(description="The message's id.")])},
        success=Success(status=202, description="The message, as it is now"),
    ),
)
