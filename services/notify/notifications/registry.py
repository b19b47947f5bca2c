"""The registry: which event notifies whom, over which channel, in which text (docs/how-to/add-a-notification.md).

One entry of an `of_….py` beside is one notification. Its text is `[sms.TEMPLATE]` or `[inbox.TEMPLATE]` in
texts/messages.toml. That the texts are there, in both languages, and name no value that the entry does not list is checked
at start (validation.py).
"""

from __future__ import annotations

from functools import cache

from services.notify.notifications.of_accounts import ACCOUNTS, IDENTITIES
from services.notify.notifications.of_cases import CITIZENS, STAFF_OF_A_CASE
from services.notify.notifications.of_codes import CODES
from services.notify.notifications.of_deadlines import DEADLINES
from services.notify.notifications.of_inbound_texts import INBOUND_TEXTS
from services.notify.notifications.of_the_way_back import THE_WAY_BACK
from services.notify.notifications.of_visits import VISITS
from services.notify.notifications.of_webhooks import WEBHOOKS
from services.notify.notifications.rules import NotificationRegistry


@cache
def shipped_registry() -> NotificationRegistry:
    """All notifications of Peygir."""
    return NotificationRegistry(
        (
            *(*CITIZENS, *VISITS, *STAFF_OF_A_CASE, *THE_WAY_BACK, *DEADLINES),
            *(*IDENTITIES, *ACCOUNTS, *INBOUND_TEXTS, *WEBHOOKS, *CODES),
        )
    )
