"""Pushes of notify as it is run: a process is killed while it sends."""

from __future__ import annotations

import threading
from pathlib import Path
from uuid import UUID, uuid4

from contracts.gateway import Actor
from contracts.push import GetPushKey, ListPushSubscriptions, PushKeys, SubscribePush
from contracts.vocabulary import ActorKind
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.notify import Keys, Person, environment_of, providers
from tests.support.processes import BrokerClient, ServiceProcess, eventually
from tests.support.push_service import b64, open_push_service


def test_a_killed_process_loses_no_push_and_another_sends_it_under_the_same_topic(
    broker: RabbitMQ, postgres: PostgreSQL, broker_client: BrokerClient, tmp_path: Path
) -> None:
    with providers() as (simulator, _), open_push_service() as service:
        environment = environment_of(
            broker.url,
            postgres.url,
            "notify_push_process",
            simulator,
            NOTIFY_QUIET_HOURS="off",
            NOTIFY_PUSH_NETWORKS="127.0.0.0/8",
            NOTIFY_PUSH_TIMEOUT="1",
        )
        first = ServiceProcess("notify", environment, tmp_path / "first.log").start()
        service.server_key = broker_client.call("notify", "get_push_key", GetPushKey())["key"]
        account = Actor(kind=ActorKind.CITIZEN, id=str(uuid4()))
        browser = service.browser()
        keys = PushKeys(p256dh=b64(browser.point), auth=b64(browser.auth))
        device = SubscribePush(actor=account, endpoint=browser.endpoint, keys=keys)
        broker_client.call("notify", "subscribe_push", device)
        service.hangs = hangs = threading.Event()
        people = [Person(Keys(environment), citizen_id=UUID(account.id)) for _ in range(3)]
        for person in people:
            broker_client.publish_event(person.registered())
        eventually(lambda: len(service.received) >= 3, timeout=30)
        first.kill()
        hangs.set()
        service.hangs = None
        before = {pushed.headers["topic"] for pushed in service.received}
        second = ServiceProcess("notify", environment, tmp_path / "second.log").start()
        try:
            eventually(lambda: len(service.received) >= 6, timeout=40)
            listing = ListPushSubscriptions(actor=account)
            eventually(
                lambda: broker_client.call("notify", "list_push_subscriptions", listing)["items"][0]["last_sent_at"],
                timeout=20,
            )
            assert len(service.received) == 6, "at least once, and once more after a kill"
            assert {pushed.headers["topic"] for pushed in service.received} == before
            assert len(before) == 3
            assert service.problems == []
            for text in ((tmp_path / "first.log").read_text(), (tmp_path / "second.log").read_text()):
                assert browser.name not in text
                assert b64(browser.auth) not in text
        finally:
            second.stop()
