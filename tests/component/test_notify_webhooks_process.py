"""Webhooks of notify as it is run: a process is killed while it sends."""

from __future__ import annotations

import threading
from pathlib import Path
from uuid import uuid4

from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from contracts.webhooks import CreateWebhookSubscription, ListWebhookDeliveries, WebhookSubscriptionWithSecret
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.notify import Keys, Person, environment_of, providers
from tests.support.partner import open_partner
from tests.support.processes import BrokerClient, ServiceProcess, eventually

ADMINISTRATOR = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}), language="en")


def test_a_killed_process_loses_no_delivery_and_another_sends_it_under_the_same_id(
    broker: RabbitMQ, postgres: PostgreSQL, broker_client: BrokerClient, tmp_path: Path
) -> None:
    with providers() as (simulator, _), open_partner() as partner:
        environment = environment_of(
            broker.url,
            postgres.url,
            "notify_webhooks_process",
            simulator,
            NOTIFY_QUIET_HOURS="off",
            NOTIFY_WEBHOOK_NETWORKS="127.0.0.0/8",
            NOTIFY_WEBHOOK_TIMEOUT="1",
        )
        first = ServiceProcess("notify", environment, tmp_path / "first.log").start()
        created = CreateWebhookSubscription(
            actor=ADMINISTRATOR, idempotency_key="k", name="137", url=partner.url, events=["case.opened"]
        )
        made = WebhookSubscriptionWithSecret.model_validate(
            broker_client.call("notify", "create_webhook_subscription", created)
        )
        partner.hangs = hangs = threading.Event()
        people = [Person(Keys(environment)) for _ in range(3)]
        for person in people:
            broker_client.publish_event(person.opened())
        eventually(lambda: len(partner.received) >= 3, timeout=30)
        first.kill()
        hangs.set()
        partner.hangs = None
        before = set(partner.ids())
        second = ServiceProcess("notify", environment, tmp_path / "second.log").start()
        try:

            def all_delivered() -> bool:
                listing = ListWebhookDeliveries(
                    actor=ADMINISTRATOR, subscription_id=made.subscription_id, state="delivered"
                )
                return len(broker_client.call("notify", "list_webhook_deliveries", listing)["items"]) == 3

            eventually(all_delivered, timeout=40)
            assert set(partner.ids()) == before
            assert len(partner.received) == 6, "at least once, under the same ids"
            for text in ((tmp_path / "first.log").read_text(), (tmp_path / "second.log").read_text()):
                assert str(made.secret) not in text
                assert partner.url not in text
        finally:
            second.stop()
