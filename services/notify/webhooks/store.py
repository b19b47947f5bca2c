"""Queries of webhooks: subscriptions, and the leases and outcomes of their deliveries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, case, delete, func, insert, or_, select, text, update

from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.webhooks import WebhookDeliveryState, WebhookState
from services.notify.models import webhook_deliveries as deliveries
from services.notify.models import webhook_subscriptions as subscriptions
from services.notify.webhooks.rules import Subscriber

AnyRow = Row[Any]

_DUE_MARK = "webhooks_due"
_ENDED = (WebhookDeliveryState.DELIVERED, WebhookDeliveryState.FAILED, WebhookDeliveryState.SKIPPED)

SUBSCRIBERS = (
    "(SELECT json_agg(json_build_object('id', id, 'events', events, 'information', information))::text"
    " FROM webhook_subscriptions WHERE state <> 'paused')"
)
"""The subscriptions that events are kept for, as a part of a larger query; `subscribers` reads it."""


def subscribers(answered: str | None) -> list[Subscriber]:
    """What `SUBSCRIBERS` answered."""
    return [
        Subscriber(UUID(row["id"]), frozenset(row["events"]), row["information"])
        for row in json.loads(answered or "[]")
    ]


def mark_due(connection: Connection) -> None:
    """Notes that this transaction makes a delivery due."""
    connection.info[_DUE_MARK] = True


def take_due_mark(connection: Connection) -> bool:
    """Whether a delivery was noted as due on this connection; the note is removed."""
    return bool(connection.info.pop(_DUE_MARK, False))


# --- subscriptions ---


def listed(connection: Connection, subscription_id: UUID | None = None) -> list[AnyRow]:
    """All subscriptions, or one, with how many deliveries wait; those that fail come first."""
    waiting = (
        select(func.count())
        .where(deliveries.c.subscription_id == subscriptions.c.id, deliveries.c.state == WebhookDeliveryState.DUE)
        .scalar_subquery()
    )
    fails_first = case((subscriptions.c.state == WebhookState.FAILING, 0), else_=1)
    chosen = select(subscriptions, waiting.label("waiting")).order_by(
        fails_first, subscriptions.c.created_at, subscriptions.c.id
    )
    if subscription_id is not None:
        chosen = chosen.where(subscriptions.c.id == subscription_id)
    return list(connection.execute(chosen))


def count_subscriptions(connection: Connection) -> int:
    """How many there are."""
    return int(connection.execute(select(func.count()).select_from(subscriptions)).scalar_one())


def lock_subscription(connection: Connection, subscription_id: UUID) -> AnyRow | None:
    """One subscription, locked; None when there is none."""
    chosen = select(subscriptions).where(subscriptions.c.id == subscription_id).with_for_update()
    return connection.execute(chosen).first()


def add_subscription(connection: Connection, values: Mapping[str, Any]) -> None:
    """A new subscription."""
    connection.execute(insert(subscriptions).values(values))


def change_subscription(connection: Connection, subscription_id: UUID, values: Mapping[str, Any]) -> None:
    """Stores other values of a subscription."""
    connection.execute(update(subscriptions).where(subscriptions.c.id == subscription_id).values(values))


def delete_subscription(connection: Connection, subscription_id: UUID) -> None:
    """Deletes a subscription and its log."""
    connection.execute(delete(subscriptions).where(subscriptions.c.id == subscription_id))
    connection.execute(delete(deliveries).where(deliveries.c.subscription_id == subscription_id))


# --- deliveries ---


def adding_deliveries(rows: Sequence[Mapping[str, Any]]) -> list[Write]:
    """New deliveries; one that is there stays as it is."""
    return writes.insert(deliveries, rows, "ON CONFLICT DO NOTHING")


def add_delivery(connection: Connection, values: Mapping[str, Any]) -> None:
    """One new delivery."""
    connection.execute(insert(deliveries).values(values))


def one_delivery(connection: Connection, delivery_id: UUID) -> AnyRow | None:
    """A delivery, or None."""
    return connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).first()


def page(
    connection: Connection,
    subscription_id: UUID,
    state: WebhookDeliveryState | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[AnyRow]:
    """The newest deliveries of a subscription, or those after (older than) the given one."""
    chosen = select(deliveries).where(deliveries.c.subscription_id == subscription_id)
    if state is not None:
        chosen = chosen.where(deliveries.c.state == state)
    if after is not None:
        moment, last = after
        chosen = chosen.where(
            or_(
                deliveries.c.created_at < moment,
                and_(deliveries.c.created_at == moment, deliveries.c.id < last),
            )
        )
    chosen = chosen.order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc()).limit(limit)
    return list(connection.execute(chosen))


def replay(
    connection: Connection, subscription_id: UUID, now: datetime, *, delivery_id: UUID | None, since: datetime | None
) -> int:
    """Makes one delivery, or all since a moment, due once more where they have ended; how many."""
    which = deliveries.c.id == delivery_id if since is None else deliveries.c.created_at >= since
    again = (
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, which, deliveries.c.state.in_(_ENDED))
        .values(state=WebhookDeliveryState.DUE, attempts=0, next_attempt_at=now, delivered_at=None)
    )
    return connection.execute(again).rowcount


_CLAIM = """
    WITH chosen AS (
        SELECT due.id FROM webhook_subscriptions AS subscription CROSS JOIN LATERAL (
            SELECT delivery.id, delivery.next_attempt_at FROM webhook_deliveries AS delivery
            WHERE delivery.subscription_id = subscription.id
                AND (
                    (delivery.state = 'due' AND delivery.next_attempt_at <= :now)
                    OR (delivery.state = 'sending' AND delivery.leased_until <= :now)
                )
                AND (subscription.state = 'active' OR delivery.case_id IS NULL)
            ORDER BY {tests_first} delivery.next_attempt_at
            LIMIT greatest(0, :at_once - (
                SELECT count(*) FROM webhook_deliveries AS other
                WHERE other.subscription_id = subscription.id AND other.state = 'sending' AND other.leased_until > :now
            ))
            FOR UPDATE OF delivery SKIP LOCKED
        ) AS due
        WHERE {whose}
        ORDER BY due.next_attempt_at
        LIMIT :limit
    )
    UPDATE webhook_deliveries AS delivery
    SET state = 'sending', lease = :lease, leased_until = :until, attempts = delivery.attempts + 1, last_attempt_at = :now
    FROM webhook_subscriptions AS subscription
    WHERE delivery.id IN (SELECT id FROM chosen) AND subscription.id = delivery.subscription_id
    RETURNING delivery.*, subscription.url, subscription.information, subscription.sealed_keys,
        subscription.old_secret_until
    """
_CLAIM_OF_WELL = text(_CLAIM.format(tests_first="", whose="subscription.failures = 0"))
_CLAIM_OF_FAILING = text(
    # Somebody waits for a test, behind which hours of what was not taken may lie.
    _CLAIM.format(tests_first="delivery.case_id IS NOT NULL,", whose="subscription.failures > 0")
)


def claim_due(
    connection: Connection, *, now: datetime, lease: UUID, seconds: float, limit: int, at_once: int, failing: bool
) -> list[AnyRow]:
    """Leases due deliveries, and those whose lease has ended without an outcome, each with what is needed of its subscription.

    `at_once`: of one subscription, so that a slow one does not take all of a process; `failing`: of those whose last attempt
    failed, or of the others. A paused subscription, by whomever, gets test deliveries alone."""
    until = now + timedelta(seconds=seconds)
    parameters = {"now": now, "lease": lease, "until": until, "limit": limit, "at_once": at_once}
    return list(connection.execute(_CLAIM_OF_FAILING if failing else _CLAIM_OF_WELL, parameters))


def settle(connection: Connection, delivery_id: UUID, lease: UUID, values: Mapping[str, Any]) -> bool:
    """Ends the attempt of this lease; False when another sender has leased the delivery since, or it was deleted."""
    settled = (
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.lease == lease)
        .where(deliveries.c.state == WebhookDeliveryState.SENDING)
        .values(lease=None, leased_until=None, **values)
    )
    return connection.execute(settled).rowcount == 1


def note_success(connection: Connection, subscription_id: UUID, now: datetime) -> None:
    """A delivery was taken: earlier failures count no more. One that was paused for them stays so until it is resumed."""
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(failures=0, failing_since=None, last_error=None, last_success_at=now)
    )


def note_failure(connection: Connection, subscription_id: UUID, now: datetime, error: str) -> AnyRow | None:
    """An attempt failed; the subscription after it, locked, or None when it is gone."""
    noted = (
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(
            failures=subscriptions.c.failures + 1,
            failing_since=func.coalesce(subscriptions.c.failing_since, now),
            last_error=error,
        )
        .returning(subscriptions)
    )
    return connection.execute(noted).first()


_NEXT = text(
    """
    SELECT min(coming.moment) FROM webhook_subscriptions AS subscription CROSS JOIN LATERAL (
        SELECT least(
            (SELECT min(next_attempt_at) FROM webhook_deliveries
                WHERE subscription_id = subscription.id AND state = 'due'),
            (SELECT min(leased_until) FROM webhook_deliveries
                WHERE subscription_id = subscription.id AND state = 'sending')
        ) AS moment
    ) AS coming
    WHERE subscription.state = 'active'
    """
)


def next_due(connection: Connection) -> datetime | None:
    """When the next delivery of an active subscription becomes due, or its lease ends; None while there is neither."""
    moment: datetime | None = connection.execute(_NEXT).scalar()
    return moment


_PRUNE = text(
    "DELETE FROM webhook_deliveries WHERE id IN"
    " (SELECT id FROM webhook_deliveries WHERE created_at < :before ORDER BY created_at LIMIT :limit)"
)


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Deletes deliveries of the log made before; how many."""
    return connection.execute(_PRUNE, {"before": before, "limit": limit}).rowcount
