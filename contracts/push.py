"""Web Push: the devices on which a person is told that there is news (RFC 8030, RFC 8291, RFC 8292)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Contract, KeyedHash, Moment, Request
from contracts.gateway import Actor

MOST_SUBSCRIPTIONS = 10
"""Devices of one person, or of one code: one more takes the place of the oldest."""

PublicKey = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{87}$", description="a point of P-256, uncompressed, base64url without padding")
]
AuthSecret = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$", description="16 bytes, base64url without padding")]
Endpoint = Annotated[str, Field(pattern=r"^[\x21-\x7e]+$", min_length=1, max_length=1000)]


class PushKeys(Contract):
    """Of a device. `p256dh`: the browser's public key; `auth`: the secret that it shares with us."""

    p256dh: PublicKey
    auth: AuthSecret


class GetPushKey(Request):
    """RPC notify.get_push_key → PushKey. The same for everybody. NotFound where this installation sends no pushes."""


class PushKey(Answer):
    """`key`: the `applicationServerKey` of a browser's subscription (RFC 8292)."""

    key: PublicKey


class SubscribePush(Request):
    """RPC notify.subscribe_push → PushSubscription. For a signed-in person, citizen or staff, and, by `code_hashes`, for whoever
    holds a tracking code: there of its case alone. The same device again replaces its keys. `expirationTime`: milliseconds since
    1970, as browsers write it. InvalidField for an address that is no push service's, or keys that are none; StillRegistering
    before the code's case is there; NotFound as GetPushKey."""

    actor: Actor
    code_hashes: list[KeyedHash] = []
    endpoint: Endpoint
    keys: PushKeys
    expirationTime: Annotated[int, Field(ge=0, le=4_102_444_800_000)] | None = None  # noqa: N815


class PushSubscription(Answer):
    """One device. `service`: the host of its push service; `last_sent_at`: when that took a message last; `expires_at`: when the
    browser said that it ends."""

    subscription_id: UUID
    service: str
    created_at: Moment
    last_sent_at: Moment | None = None
    expires_at: Moment | None = None


class ListPushSubscriptions(Request):
    """RPC notify.list_push_subscriptions → PushSubscriptions. One's own, or those of a code's case; newest first."""

    actor: Actor
    code_hashes: list[KeyedHash] = []


class PushSubscriptions(Answer):
    items: list[PushSubscription]


class UnsubscribePush(Request):
    """RPC notify.unsubscribe_push → PushUnsubscribed. NotFound for a device that is not one's own."""

    actor: Actor
    code_hashes: list[KeyedHash] = []
    subscription_id: UUID


class PushUnsubscribed(Answer):
    subscription_id: UUID
