"""Devices that are pushed to, by a notify that a test holds in its hands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any
from uuid import UUID, uuid4

from contracts.accounts import StaffChanged
from contracts.base import now
from contracts.gateway import Actor
from contracts.preferences import ChangePreferences, PreferredChannel
from contracts.push import GetPushKey, ListPushSubscriptions, PushSubscription, SubscribePush
from contracts.vocabulary import ActorKind, Role
from tests.support.notify import NotifyFixture, Person
from tests.support.push_service import Browser, PushService, b64, open_push_service


@contextmanager
def push_service_of(notify: NotifyFixture) -> Iterator[PushService]:
    """A push service that notify may call, under the test's clock."""
    with open_push_service() as opened:
        opened.now = lambda: notify.clock.timestamp()
        networks = [ip_network("127.0.0.0/8")]
        notify.settings = notify.settings.model_copy(update={"notify_push_networks": networks})
        notify.app = notify.another_app(settings=notify.settings)
        opened.server_key = notify.app.push.get_key(GetPushKey()).key
        yield opened


def bearer(person: Person) -> dict[str, Any]:
    return {"actor": Actor(kind=ActorKind.BEARER, id=person.code_hash), "code_hashes": [person.code_hash]}


def citizen(citizen_id: UUID) -> dict[str, Any]:
    return {"actor": Actor(kind=ActorKind.CITIZEN, id=str(citizen_id))}


def staff_actor(staff_id: UUID) -> dict[str, Any]:
    return {"actor": Actor(kind=ActorKind.STAFF, id=str(staff_id), roles=frozenset({Role.HEAD}))}


def subscribe(notify: NotifyFixture, who: dict[str, Any], browser: Browser, **more: Any) -> PushSubscription:
    keys = {"p256dh": more.pop("p256dh", b64(browser.point)), "auth": b64(browser.auth)}
    request = SubscribePush(**who, **{"endpoint": browser.endpoint, "keys": keys, **more})
    with notify.database.transaction() as connection:
        return notify.app.push.subscribe(connection, request)


def devices(notify: NotifyFixture, who: dict[str, Any]) -> list[PushSubscription]:
    with notify.database.read() as connection:
        return notify.app.push.list_subscriptions(connection, ListPushSubscriptions(**who)).items


def prefer(notify: NotifyFixture, who: dict[str, Any], channel: str = "both", **more: Any) -> None:
    with notify.database.transaction() as connection:
        request = ChangePreferences(**who, channel=PreferredChannel(channel), **more)
        notify.app.preferences.change(connection, request)


def deliver(notify: NotifyFixture) -> None:
    """Until nothing is due: an SMS may follow from what became of a push."""
    for _ in range(3):
        notify.send()
        notify.send_pushes()
    notify.send()


def hired(staff_id: UUID, *roles: Role, unit: str | None = None, version: int = 1, active: bool = True) -> StaffChanged:
    return StaffChanged(
        id=uuid4(),
        occurred_at=now(),
        staff_id=staff_id,
        version=version,
        roles=frozenset(roles),
        unit=unit,
        active=active,
        display_name="نمونه",
    )
