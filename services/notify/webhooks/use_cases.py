"""What administrators do with webhooks: subscriptions, their secrets, the log of their deliveries, replays and tests."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.storage import cursors, idempotency
from contracts.errors import InvalidField, NotAllowed, NotFound, StaleVersion
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from contracts.webhooks import (
    ChangeWebhookSubscription,
    CreateWebhookSubscription,
    DeleteWebhookSubscription,
    GetWebhookSubscription,
    ListWebhookDeliveries,
    ListWebhookSubscriptions,
    ReplayWebhookDeliveries,
    RotateWebhookSecret,
    SendWebhookTest,
    WebhookDelivery,
    WebhookDeliveryPage,
    WebhookDeliveryState,
    WebhookReplay,
    WebhookState,
    WebhookSubscription,
    WebhookSubscriptionDeleted,
    WebhookSubscriptions,
    WebhookSubscriptionWithSecret,
)
from services.notify.clock import Clock
from services.notify.models import webhook_commands
from services.notify.webhooks import rules, store
from services.notify.webhooks.addresses import UrlRefused
from services.notify.webhooks.http_client import WebhookClient
from services.notify.webhooks.keys import KeyStore, SubscriptionKeys

MOST_SUBSCRIPTIONS = 50
"""Every event of a case is looked at for each of them."""

_Command = (
    CreateWebhookSubscription
    | ChangeWebhookSubscription
    | DeleteWebhookSubscription
    | RotateWebhookSecret
    | SendWebhookTest
    | ReplayWebhookDeliveries
)


class WebhookUseCases:
    """For the administrator."""

    def __init__(self, client: WebhookClient, keys: KeyStore, clock: Clock) -> None:
        self._client, self._keys, self._clock = client, keys, clock

    def list_subscriptions(self, connection: Connection, request: ListWebhookSubscriptions) -> WebhookSubscriptions:
        """All of them, those that fail first."""
        _require_administrator(request.actor)
        return WebhookSubscriptions(items=[_shown(row) for row in store.listed(connection)])

    def get_subscription(self, connection: Connection, request: GetWebhookSubscription) -> WebhookSubscription:
        """One of them. NotFound."""
        _require_administrator(request.actor)
        return _one(connection, request.subscription_id)

    def create(self, connection: Connection, request: CreateWebhookSubscription) -> WebhookSubscriptionWithSecret:
        """A new subscription, and its secret. InvalidField, KeyReused."""
        _require_administrator(request.actor)
        self._check_url(request.url)
        subscription_id = uuid4()
        earlier = _repeated(connection, request, subscription_id)
        if earlier is not None:
            return _with_secret(_one(connection, earlier.made), None)
        if store.count_subscriptions(connection) >= MOST_SUBSCRIPTIONS:
            raise InvalidField(
                fields=[{"field": "name", "reason": "too_many_subscriptions", "most": MOST_SUBSCRIPTIONS}]
            )
        keys = SubscriptionKeys.new()
        values = {
            "id": subscription_id,
            "name": request.name.strip(),
            "url": request.url,
            "events": _in_order(request.events),
            "information": request.information,
            "state": WebhookState.ACTIVE,
            "sealed_keys": self._keys.seal(keys),
            "created_at": self._clock(),
        }
        store.add_subscription(connection, values)
        return _with_secret(_one(connection, subscription_id), keys)

    def change(self, connection: Connection, request: ChangeWebhookSubscription) -> WebhookSubscription:
        """Other values of a subscription. One that failed and is resumed begins anew, with what has waited for it."""
        row = self._locked(connection, request)
        self._check_url(request.url)
        if not _repeated(connection, request, row.id):
            if row.version != request.expected_version:
                raise StaleVersion(current=row.version)
            values: dict[str, Any] = {
                "name": request.name.strip(),
                "url": request.url,
                "events": _in_order(request.events),
                "information": request.information,
                "state": WebhookState.ACTIVE if request.active else WebhookState.PAUSED,
                "version": row.version + 1,
            }
            if request.active and row.state != WebhookState.ACTIVE:
                values |= {"failures": 0, "failing_since": None, "last_error": None}
            store.change_subscription(connection, row.id, values)
        return _one(connection, row.id)

    def delete(self, connection: Connection, request: DeleteWebhookSubscription) -> WebhookSubscriptionDeleted:
        """A subscription, its secret and its log are deleted."""
        _require_administrator(request.actor)
        if not _repeated(connection, request, request.subscription_id):
            row = self._locked(connection, request)
            if row.version != request.expected_version:
                raise StaleVersion(current=row.version)
            store.delete_subscription(connection, row.id)
        return WebhookSubscriptionDeleted(subscription_id=request.subscription_id)

    def rotate_secret(self, connection: Connection, request: RotateWebhookSecret) -> WebhookSubscriptionWithSecret:
        """Another secret; the one until now signs beside it for a while."""
        row = self._locked(connection, request)
        if _repeated(connection, request, row.id):
            return _with_secret(_one(connection, row.id), None)
        keys = self._keys.rotated(row.sealed_keys)
        until = self._clock() + timedelta(hours=request.overlap_hours) if request.overlap_hours else None
        if until is None:
            keys = keys.model_copy(update={"old_secret": None})
        values = {"sealed_keys": self._keys.seal(keys), "old_secret_until": until, "version": row.version + 1}
        store.change_subscription(connection, row.id, values)
        return _with_secret(_one(connection, row.id), keys)

    def send_test(self, connection: Connection, request: SendWebhookTest) -> WebhookDelivery:
        """A delivery that tells of no case; what comes of it is in the log."""
        row = self._locked(connection, request)
        moment, delivery_id = self._clock(), uuid4()
        earlier = _repeated(connection, request, delivery_id)
        if earlier is None:
            values = {
                "id": delivery_id,
                "subscription_id": row.id,
                "type": rules.TEST_TYPE,
                "payload": rules.payload_of_test(moment),
                "state": WebhookDeliveryState.DUE,
                "created_at": moment,
                "next_attempt_at": moment,
            }
            store.add_delivery(connection, values)
        delivery = store.one_delivery(connection, earlier.made if earlier else delivery_id)
        if delivery is None:  # it has left the log since
            raise NotFound
        return _delivery(delivery)

    def list_deliveries(self, connection: Connection, request: ListWebhookDeliveries) -> WebhookDeliveryPage:
        """The log of a subscription, the newest first. NotFound; InvalidField for a cursor of another list."""
        _require_administrator(request.actor)
        if not store.listed(connection, request.subscription_id):
            raise NotFound
        after = cursors.decode(request.after) if request.after is not None else None
        rows = store.page(connection, request.subscription_id, request.state, after, request.limit + 1)
        page = rows[: request.limit]
        more = cursors.encode(page[-1].created_at, page[-1].id) if len(rows) > request.limit else None
        return WebhookDeliveryPage(items=[_delivery(row) for row in page], next=more)

    def replay(self, connection: Connection, request: ReplayWebhookDeliveries) -> WebhookReplay:
        """Deliveries that have ended are made once more, under their ids."""
        row = self._locked(connection, request)
        if (request.delivery_id is None) is (request.since is None):
            raise InvalidField(fields=[{"field": "since", "reason": "delivery_or_since"}])
        if request.delivery_id is not None:
            delivery = store.one_delivery(connection, request.delivery_id)
            if delivery is None or delivery.subscription_id != row.id:
                raise NotFound
        if _repeated(connection, request, row.id):
            return WebhookReplay(replayed=0)
        return WebhookReplay(
            replayed=store.replay(
                connection, row.id, self._clock(), delivery_id=request.delivery_id, since=request.since
            )
        )

    def _check_url(self, url: str) -> None:
        try:
            self._client.check(url)
        except UrlRefused as refused:
            raise InvalidField(fields=[{"field": "url", "reason": refused.reason}]) from None

    @staticmethod
    def _locked(connection: Connection, request: _Command) -> store.AnyRow:
        """The subscription that a command is about. NotAllowed, NotFound."""
        _require_administrator(request.actor)
        assert not isinstance(request, CreateWebhookSubscription)
        row = store.lock_subscription(connection, request.subscription_id)
        if row is None:
            raise NotFound
        return row


def _repeated(connection: Connection, request: _Command, made: UUID) -> store.AnyRow | None:
    digest = idempotency.command_hash(request)
    return idempotency.repeated(connection, webhook_commands, request.actor, request.idempotency_key, digest, made=made)


def _in_order(events: Collection[str]) -> list[str]:
    return sorted(set(events))


def _one(connection: Connection, subscription_id: UUID) -> WebhookSubscription:
    rows = store.listed(connection, subscription_id)
    if not rows:  # deleted since
        raise NotFound
    return _shown(rows[0])


def _shown(row: store.AnyRow) -> WebhookSubscription:
    return WebhookSubscription(
        subscription_id=row.id,
        **{name: getattr(row, name) for name in WebhookSubscription.model_fields if name != "subscription_id"},
    )


def _with_secret(shown: WebhookSubscription, keys: SubscriptionKeys | None) -> WebhookSubscriptionWithSecret:
    """`keys`: None in the answer to a repeated command."""
    secret = keys.secret.get_secret_value() if keys else None
    return WebhookSubscriptionWithSecret(**shown.model_dump(), secret=secret)


def _delivery(row: store.AnyRow) -> WebhookDelivery:
    shown = {name: getattr(row, name) for name in WebhookDelivery.model_fields if name != "delivery_id"}
    if row.state not in (WebhookDeliveryState.DUE, WebhookDeliveryState.SENDING):
        shown["next_attempt_at"] = None
    return WebhookDelivery(delivery_id=row.id, **shown)


def _require_administrator(actor: Actor) -> None:
    if actor.kind is not ActorKind.STAFF or Role.ADMINISTRATOR not in actor.roles:
        raise NotAllowed
