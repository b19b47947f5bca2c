"""Devices: subscribing one, listing them, taking one back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from sqlalchemy import Connection

from backbone import sealing
from backbone.process.settings import secret
from contracts.errors import InvalidField, NotFound
from contracts.push import (
    MOST_SUBSCRIPTIONS,
    GetPushKey,
    ListPushSubscriptions,
    PushKey,
    PushKeys,
    PushSubscription,
    PushSubscriptions,
    PushUnsubscribed,
    SubscribePush,
    UnsubscribePush,
)
from services.notify.clock import Clock
from services.notify.preferences.use_cases import holder_of
from services.notify.push import encryption, rules, store
from services.notify.push.devices import DeviceAddress, DeviceSeal
from services.notify.push.server_keys import ServerKeys
from services.notify.settings import Settings
from services.notify.webhooks.addresses import UrlRefused, parse_target

PORTS = (443,)

_SUBSCRIPTIONS = UUID("6f3e5d1a-58d1-5a0c-8d4b-0f4d5b1e7c21")  # the namespace of their ids; never to be changed


class PushUseCases:
    """For citizens and staff who are signed in, and for whoever holds a code."""

    def __init__(self, settings: Settings, keys: ServerKeys, seal: DeviceSeal, clock: Clock) -> None:
        self._hosts: Collection[str] = settings.notify_push_hosts
        self._networks = settings.notify_push_networks
        self._hash_key = secret(settings.mobile_index_key)
        self._keys, self._seal, self._clock = keys, seal, clock

    def get_key(self, request: GetPushKey) -> PushKey:
        """With which browsers subscribe. NotFound where no pushes are sent."""
        return PushKey(key=self._current_key())

    def subscribe(self, connection: Connection, request: SubscribePush) -> PushSubscription:
        """A device from now on; the oldest goes where there are too many. StillRegistering, NotAllowed, NotFound,
        InvalidField."""
        server_key = self._current_key()
        holder = holder_of(connection, request.actor, request.code_hashes)
        host = self._push_service(request.endpoint)
        _check_keys(request.keys)
        moment = self._clock()
        expires_at = None
        if request.expirationTime is not None:
            expires_at = datetime.fromtimestamp(request.expirationTime / 1000, UTC)
        if expires_at is not None and expires_at <= moment:
            raise InvalidField(fields=[{"field": "expirationTime", "reason": "in_the_past"}])
        endpoint_hash = sealing.keyed_hash(request.endpoint, self._hash_key)
        subscription_id = uuid5(_SUBSCRIPTIONS, f"{holder.kind}:{holder.id}:{endpoint_hash}")
        address = DeviceAddress(endpoint=request.endpoint, **request.keys.model_dump())
        store.keep_subscription(
            connection,
            {
                "id": subscription_id,
                "holder_kind": holder.kind,
                "holder_id": holder.id,
                "endpoint_hash": endpoint_hash,
                "service": host,
                "sealed": self._seal.seal(address),
                "server_key": server_key,
                "created_at": moment,
                "expires_at": expires_at,
            },
        )
        rows = store.devices(connection, holder)
        others = [row for row in rows if row.id != subscription_id]
        store.remove_subscriptions(connection, [row.id for row in others[MOST_SUBSCRIPTIONS - 1 :]], moment)
        [row] = [row for row in rows if row.id == subscription_id]
        return _shown(row)

    def list_subscriptions(self, connection: Connection, request: ListPushSubscriptions) -> PushSubscriptions:
        """Their devices. StillRegistering, NotAllowed."""
        holder = holder_of(connection, request.actor, request.code_hashes)
        return PushSubscriptions(items=[_shown(row) for row in store.devices(connection, holder)])

    def unsubscribe(self, connection: Connection, request: UnsubscribePush) -> PushUnsubscribed:
        """One of their devices no more. StillRegistering, NotAllowed, NotFound."""
        holder = holder_of(connection, request.actor, request.code_hashes)
        if request.subscription_id not in {row.id for row in store.devices(connection, holder)}:
            raise NotFound
        store.remove_subscriptions(connection, [request.subscription_id], self._clock())
        return PushUnsubscribed(subscription_id=request.subscription_id)

    def _current_key(self) -> str:
        if self._keys.current is None:
            raise NotFound
        return self._keys.current

    def _push_service(self, endpoint: str) -> str:
        """Its host. Of a name in the list, or, by its address, of a network that is allowed (webhooks/addresses.py)."""
        try:
            target = parse_target(endpoint, PORTS, self._networks)
        except UrlRefused:
            raise _no_push_service() from None
        if target.address is None and not rules.is_push_service(target.host, self._hosts):
            raise _no_push_service()
        if target.address is not None and not any(target.address in network for network in self._networks):
            raise _no_push_service()
        return urlsplit(endpoint).hostname or target.host


def _no_push_service() -> InvalidField:
    return InvalidField(fields=[{"field": "endpoint", "reason": "no_push_service"}])


def _check_keys(keys: PushKeys) -> None:
    try:
        encryption.read_public_key(encryption.from_unpadded(keys.p256dh))
    except ValueError:
        raise InvalidField(fields=[{"field": "keys.p256dh", "reason": "no_push_key"}]) from None
    try:
        is_secret = len(encryption.from_unpadded(keys.auth)) == encryption.AUTH_BYTES
    except ValueError:
        is_secret = False
    if not is_secret:
        raise InvalidField(fields=[{"field": "keys.auth", "reason": "no_push_key"}])


def _shown(row: store.AnyRow) -> PushSubscription:
    return PushSubscription(
        subscription_id=row.id,
        **{name: getattr(row, name) for name in PushSubscription.model_fields if name != "subscription_id"},
    )
