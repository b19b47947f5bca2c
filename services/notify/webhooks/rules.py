"""What partners are told of an event, how it is signed, when it is tried again, when a subscription is paused. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts import tracking
from contracts.tracking import TrackedEvent
from contracts.vocabulary import Kind, Stage
from contracts.webhooks import WebhookEventType

SECRET_PREFIX = "whsec_"  # noqa: S105  # of every secret, by Standard Webhooks
SECRET_BYTES = 32
TEST_TYPE = "webhook.test"
KEPT = timedelta(days=30)
"""How long a delivery is in the log, and can be replayed."""

_DELIVERIES = UUID("0f7b7d52-2f0c-5c5e-9d53-8f6c0b2f9a44")  # the namespace of delivery ids; never to be changed
_WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800)) + tuple(
    timedelta(hours=hours) for hours in (1, 2, 4, 6, 8, 12, 14)
)
"""Between attempts: twelve of them in two days."""
ATTEMPTS = len(_WAITS) + 1
_JITTER = 0.2

_TYPES: Mapping[type[TrackedEvent], WebhookEventType] = {
    tracking.CaseOpened: WebhookEventType.CASE_OPENED,
    tracking.CaseCorrected: WebhookEventType.CASE_CORRECTED,
    tracking.CaseAssigned: WebhookEventType.CASE_ASSIGNED,
    tracking.CitizenAsked: WebhookEventType.CASE_STAGE_CHANGED,
    tracking.CitizenAnswered: WebhookEventType.CASE_STAGE_CHANGED,
    tracking.UnitAsked: WebhookEventType.CASE_STAGE_CHANGED,
    tracking.UnitAnswered: WebhookEventType.CASE_STAGE_CHANGED,
    tracking.CaseReturned: WebhookEventType.CASE_STAGE_CHANGED,
    tracking.CaseUnanswered: WebhookEventType.CASE_CLOSED,
    tracking.CaseResumed: WebhookEventType.CASE_REOPENED,
    tracking.CaseDecided: WebhookEventType.CASE_DECIDED,
    tracking.CaseObjected: WebhookEventType.CASE_OBJECTED,
    tracking.CaseRefused: WebhookEventType.CASE_REFUSED,
    tracking.CaseMerged: WebhookEventType.CASE_MERGED,
    tracking.CaseWithdrawn: WebhookEventType.CASE_WITHDRAWN,
    tracking.CaseReopened: WebhookEventType.CASE_REOPENED,
    tracking.CaseEscalated: WebhookEventType.CASE_ESCALATED,
}


def public_type(event: TrackedEvent) -> WebhookEventType | None:
    """The public type of an event; None for one that partners are never told of."""
    if isinstance(event, tracking.CaseStageChanged):
        is_closed = event.state.stage is Stage.CLOSED
        return WebhookEventType.CASE_CLOSED if is_closed else WebhookEventType.CASE_STAGE_CHANGED
    return _TYPES.get(type(event))


@dataclass(frozen=True)
class Subscriber:
    """A subscription as far as an event asks for it."""

    id: UUID
    events: frozenset[str]
    information: bool

    def wants(self, event: TrackedEvent) -> bool:
        """Whether this subscription is told of the event."""
        return public_type(event) in self.events and (self.information or not is_sealed(event))


def is_sealed(event: TrackedEvent) -> bool:
    """Whether the event is of a report of wrongdoing: place and moment may give its reporter away (DOMAIN: What is filed)."""
    return event.state.kind is Kind.INFORMATION


def delivery_id(event_id: UUID, subscription_id: UUID) -> UUID:
    """The id of a delivery: the same whenever it is made again of the same event."""
    return uuid5(_DELIVERIES, f"{event_id}:{subscription_id}")


def payload(event: TrackedEvent) -> dict[str, Any]:
    """What partners are told, but for the reference of the case, which each gets its own of. No text, no name, no number of a
    case, no code and nobody who handles it. Of a report of wrongdoing neither unit nor ground, and the day alone."""
    sealed, state = is_sealed(event), event.state
    return {
        "type": str(public_type(event)),
        "timestamp": _rounded(event.occurred_at, sealed),
        "data": {
            "sequence": event.sequence,
            "kind": state.kind.value,
            "unit": None if sealed else state.unit,
            "ground": None if sealed else state.ground,
            "stage": state.stage.value,
            "outcome": state.outcome.value if state.outcome else None,
        },
    }


def payload_of_test(moment: datetime) -> dict[str, Any]:
    """Of a test delivery, which is about no case."""
    return {"type": TEST_TYPE, "timestamp": _rounded(moment, False), "data": {}}


def due_at(event: TrackedEvent, moment: datetime) -> datetime:
    """When the first attempt is made: at once; of a report of wrongdoing on the next day, so that the moment at which a partner
    hears of it says no more than the day in the payload."""
    if not is_sealed(event):
        return moment
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def case_reference(key: bytes, case_id: UUID) -> str:
    """What a case is called to one subscription: always the same, and to each another, so that partners cannot compare theirs."""
    return hmac.new(key, case_id.bytes, hashlib.sha256).hexdigest()[:32]


def body(stored: Mapping[str, Any], reference: str | None) -> bytes:
    """The bytes that are sent and signed: the same in each attempt."""
    data = {**({"case": reference} if reference else {}), **stored["data"]}
    return json.dumps({**stored, "data": data}, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signatures(secrets: Sequence[str], message_id: str, timestamp: int, content: bytes) -> str:
    """The header webhook-signature by these secrets (Standard Webhooks: v1, HMAC-SHA256 in base64; several by spaces)."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), content))
    return " ".join(
        "v1," + base64.b64encode(hmac.new(secret_key(secret), signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    )


def secret_text(key: bytes) -> str:
    """A key as partners are given it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def secret_key(secret: str) -> bytes:
    """The key of a secret as partners are given it."""
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)


def retry_wait(attempts: int, chance: float) -> timedelta | None:
    """How long after so many failed attempts the next is made; None: it is given up. `chance`: from 0 to 1; by a fifth more or
    less, so that deliveries that failed together do not come back together."""
    if attempts >= ATTEMPTS:
        return None
    return _WAITS[max(attempts, 1) - 1] * (1 - _JITTER + 2 * _JITTER * chance)


def is_failing(
    failures: int, failing_since: datetime, moment: datetime, *, given_up: bool, most: int, span: timedelta
) -> bool:
    """Whether a subscription is paused: after `most` failed attempts in a row over at least `span`; or when a delivery has been
    given up and none has succeeded since its first attempt, which `ATTEMPTS` failures in a row show."""
    if given_up and failures >= ATTEMPTS:
        return True
    return failures >= most and moment - failing_since >= span


def _rounded(moment: datetime, to_day: bool) -> str:
    whole = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return f"{whole.replace(hour=0) if to_day else whole:%Y-%m-%dT%H:%M:%SZ}"
