"""What happens to subscriptions: an event of notify's own, of which the registry notifies administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True)
class WebhookPaused:
    """A subscription was paused since its system does not take what it is sent. `id`: of the subscription, and the moment."""

    name: ClassVar[str] = "webhook.paused"

    id: str
    occurred_at: datetime
    webhook: str
