"""Notifications of webhooks, to administrators."""

from __future__ import annotations

from typing import Any

from services.notify.notifications.recipients import ADMINISTRATORS
from services.notify.notifications.rules import INBOX, Notification
from services.notify.webhooks.events import WebhookPaused
from services.notify.wording.values import WEBHOOK

WEBHOOKS: tuple[Notification[Any], ...] = (
    Notification(WebhookPaused, "webhook_paused", ADMINISTRATORS, INBOX, (WEBHOOK,)),
)
