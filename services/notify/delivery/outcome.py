"""The events that report how a message ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row

from contracts.notify import MessageState, NotificationDelivered, NotificationFailed


def outcome_event(
    message: Mapping[str, Any] | Row[Any], state: str, reason: str | None, moment: datetime
) -> NotificationDelivered | NotificationFailed:
    """`message`: a row of messages, or the values of one; `state`, `reason`: how it ended."""
    row = message if isinstance(message, Mapping) else dict(message._mapping)
    about = {
        "id": uuid4(),
        "occurred_at": moment,
        "message_id": row["id"],
        "case_id": row["case_id"],
        "template": row["template"],
        "channel": row["channel"],
    }
    if state == MessageState.DELIVERED:
        return NotificationDelivered(**about, to_citizen=row["audience"] in ("citizen", "handset"))
    return NotificationFailed(**about, reason=reason or "unknown")
