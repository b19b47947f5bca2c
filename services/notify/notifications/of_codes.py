"""The tracking code, sent to the mobile that its holder names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from services.notify.notifications.recipients import NAMED_HANDSET
from services.notify.notifications.rules import SMS, Notification
from services.notify.wording.values import CODE


@dataclass(frozen=True)
class CodeRequested:
    """An event of notify's own. `sealed_contact`: mobile and code. It names no case: what is stored of the SMS says only that
    this mobile was sent some code."""

    name: ClassVar[str] = "code.requested"

    id: str
    occurred_at: datetime
    sealed_contact: str
    language: str


CODES: tuple[Notification[Any], ...] = (
    Notification(CodeRequested, "code_requested", NAMED_HANDSET, SMS, (CODE,), urgent=True),
)
