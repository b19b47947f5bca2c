"""Webhooks on a real database and over real HTTP, under a clock that the test sets."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.errors import InvalidField, KeyReused, NotAllowed, NotFound, StaleVersion
from contracts.gateway import Actor
from contracts.notify import ListMessages
from contracts.vocabulary import ActorKind, Kind, Role
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
    WebhookSubscriptionWithSecret,
)
from services.notify.composition import NotifyApp
from tests.support.notify import NotifyFixture, Person
from tests.support.partner import Partner, open_partner

ADMINISTRATOR = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}), language="en")
HEAD = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}), language="en")
ALL = ["case.opened", "case.stage_changed", "case.decided", "case.withdrawn"]
LOCAL = [ip_network("127.0.0.0/8")]


@pytest.fixture
def partner() -> Iterator[Partner]:
    with open_partner() as opened:
        yield opened


class Administration:
    """Notify's use cases of webhooks, asked by an administrator."""

    def __init__(self, notify: NotifyFixture, **settings: Any) -> None:
        self.notify = notify
        allowed = {"notify_webhook_networks": LOCAL, "notify_webhook_timeout": 30.0, **settings}
        self.app: NotifyApp = notify.another_app(settings=notify.settings.model_copy(update=allowed))

    def ask(self, name: str, request: type[Any], actor: Actor = ADMINISTRATOR, /, **fields: Any) -> Any:
        if "idempotency_key" in request.model_fields:
            fields.setdefault("idempotency_key", uuid4().hex)
        with self.notify.database.transaction() as connection:
            return getattr(self.app.webhooks, name)(connection, request(actor=actor, **fields))

    def subscribe(self, url: str, events: list[str] = ALL, **more: Any) -> WebhookSubscriptionWithSecret:
        made: WebhookSubscriptionWithSecret = self.ask(
            "create", CreateWebhookSubscription, name="137", url=url, events=events, **more
        )
        return made

    def shown(self, subscription_id: UUID) -> Any:
        return self.ask("get_subscription", GetWebhookSubscription, subscription_id=subscription_id)

    def log(self, subscription_id: UUID, **more: Any) -> list[WebhookDelivery]:
        page = self.ask("list_deliveries", ListWebhookDeliveries, subscription_id=subscription_id, **more)
        items: list[WebhookDelivery] = page.items
        return items

    def send(self) -> None:
        while self.app.webhook_sender.send_due(self.notify.database):
            pass


@pytest.fixture
def administration(notify: NotifyFixture) -> Administration:
    return Administration(notify)


def secret_of(made: WebhookSubscriptionWithSecret) -> str:
    assert made.secret is not None
    return made.secret


def test_a_partner_is_told_once_of_an_event_that_comes_twice(
    administration: Administration, notify: NotifyFixture, person: Person, partner: Partner
) -> None:
    made = administration.subscribe(partner.url)
    opened = person.opened()
    notify.publish(opened, opened)
    notify.publish(opened)
    administration.send()

    [received] = partner.received
    assert received.is_signed_by(secret_of(made), now=notify.clock.timestamp())
    assert not received.is_signed_by("whsec_" + "A" * 43 + "=", now=notify.clock.timestamp())
    assert not received.is_signed_by(secret_of(made), now=notify.clock.timestamp() + 301)
    assert received.headers["content-type"] == "application/json"
    assert received.body["type"] == "case.opened"
    assert set(received.body["data"]) == {"case", "sequence", "kind", "unit", "ground", "stage", "outcome"}
    for secret in (person.code, person.phone, person.number, str(person.case_id)):
        assert secret not in received.content.decode()
    [delivery] = administration.log(made.subscription_id)
    assert (str(delivery.delivery_id), delivery.state, delivery.attempts) == (received.id, "delivered", 1)
    assert delivery.response_code == 204


def test_a_case_has_another_reference_to_each_partner(
    administration: Administration, notify: NotifyFixture, person: Person, partner: Partner
) -> None:
    administration.subscribe(partner.url)
    administration.subscribe(partner.url + "/other")
    notify.publish(person.opened(), person.decided())
    administration.send()
    references: dict[str, set[str]] = {}
    for received in partner.received:
        references.setdefault(received.path, set()).add(received.body["data"]["case"])
    assert [len(of_one) for of_one in references.values()] == [1, 1]
    assert len(set.union(*references.values())) == 2


def test_reports_of_wrongdoing_go_to_who_may_know_on_the_next_day(
    administration: Administration, notify: NotifyFixture, partner: Partner
) -> None:
    informed = administration.subscribe(partner.url, information=True)
    other = administration.subscribe(partner.url)
    notify.publish(Person(notify.keys, kind=Kind.INFORMATION).opened())
    administration.send()
    assert partner.received == []
    notify.later(hours=24)
    administration.send()
    [received] = partner.received
    assert (received.body["data"]["unit"], received.body["data"]["ground"]) == (None, None)
    assert received.is_signed_by(secret_of(informed), now=notify.clock.timestamp())
    assert administration.log(other.subscription_id) == []

    # Who may know no more is not sent what waited.
    notify.publish(Person(notify.keys, kind=Kind.INFORMATION).opened())
    administration.ask(
        "change",
        ChangeWebhookSubscription,
        subscription_id=informed.subscription_id,
        expected_version=1,
        name="137",
        url=partner.url,
        events=ALL,
    )
    notify.later(hours=24)
    administration.send()
    assert len(partner.received) == 1
    assert [delivery.state for delivery in administration.log(informed.subscription_id)] == ["skipped", "delivered"]


@pytest.mark.parametrize(
    ("status", "location", "error"),
    [(500, "", "refused"), (404, "", "refused"), (302, "http://127.0.0.1/inner", "redirects")],
)
def test_a_delivery_that_is_not_taken_is_repeated_under_its_id(
    administration: Administration,
    notify: NotifyFixture,
    person: Person,
    partner: Partner,
    status: int,
    location: str,
    error: str,
) -> None:
    made = administration.subscribe(partner.url)
    partner.status, partner.location, partner.answer = status, location or "", b"no\x00 " + b"x" * 5000
    partner.location = partner.url + "/elsewhere" if location else ""
    notify.publish(person.opened())
    administration.send()
    [delivery] = administration.log(made.subscription_id)
    assert (delivery.state, delivery.error, delivery.response_code) == ("due", error, status)
    assert delivery.answer is not None
    assert len(delivery.answer) <= 200
    assert "\x00" not in delivery.answer
    assert administration.shown(made.subscription_id).failures == 1

    partner.status, partner.location = 200, ""
    administration.send()
    assert len(partner.received) == 1, "the next attempt waits"
    notify.later(seconds=7)
    administration.send()
    assert [received.path for received in partner.received] == ["/hook", "/hook"], "a redirect is not followed"
    assert len(set(partner.ids())) == 1
    assert partner.received[0].content == partner.received[1].content
    shown = administration.shown(made.subscription_id)
    assert (shown.failures, shown.failing_since, shown.last_success_at) == (0, None, notify.clock)


def test_a_partner_that_does_not_answer_or_does_not_end_is_not_waited_for(
    notify: NotifyFixture, person: Person, partner: Partner
) -> None:
    administration = Administration(notify, notify_webhook_timeout=0.5)
    made = administration.subscribe(partner.url)
    partner.hangs = threading.Event()
    notify.publish(person.opened())
    administration.send()
    partner.hangs.set()
    assert administration.log(made.subscription_id)[0].error == "timed_out"

    partner.hangs, partner.status, partner.drips = None, 200, 0.1
    notify.later(seconds=7)
    administration.send()  # it returns, though the answer has no end
    assert administration.log(made.subscription_id)[0].state == "delivered", "the status is what counts"


def test_an_address_inside_is_refused_when_typed_and_when_called(
    notify: NotifyFixture, person: Person, partner: Partner
) -> None:
    strict = Administration(notify, notify_webhook_networks=[])
    for url, reason in ((partner.url, "webhook_address"), ("https://localhost:22/", "webhook_port")):
        with pytest.raises(InvalidField) as refused:
            strict.subscribe(url)
        assert refused.value.params["fields"] == [{"field": "url", "reason": reason}]
    # A name may begin to mean this machine at any time; so may a setting change.
    by_name = strict.subscribe("https://localhost/")
    kept = Administration(notify).subscribe(partner.url)
    notify.publish(person.opened())
    strict.send()
    for made in (by_name, kept):
        assert [delivery.error for delivery in strict.log(made.subscription_id)] == ["address_refused"]
    assert partner.received == []


def test_a_subscription_that_keeps_failing_is_paused_and_administrators_are_told(
    notify: NotifyFixture, person: Person, partner: Partner
) -> None:
    administration = Administration(notify, notify_webhook_failures=3, notify_webhook_failing_hours=0.01)
    made = administration.subscribe(partner.url)
    partner.status = 500
    notify.publish(person.opened())
    for _ in range(3):
        administration.send()
        notify.later(minutes=7)
    assert len(partner.received) == 3
    shown = administration.shown(made.subscription_id)
    assert (shown.state, shown.failures, shown.last_error, shown.waiting) == ("failing", 3, "refused", 1)
    assert administration.ask("list_subscriptions", ListWebhookSubscriptions).items[0].state == "failing"
    with notify.database.read() as connection:
        messages = notify.app.inbox.list_messages(connection, ListMessages(actor=ADMINISTRATOR)).items
        others = notify.app.inbox.list_messages(connection, ListMessages(actor=HEAD)).items
    assert [message.template for message in messages] == ["webhook_paused"]
    assert "“137”" in messages[0].text
    assert others == []

    # What happens meanwhile waits, and is sent when it is resumed.
    notify.publish(person.decided())
    notify.later(hours=1)
    administration.send()
    assert len(partner.received) == 3
    partner.status = 200
    administration.ask(
        "change",
        ChangeWebhookSubscription,
        subscription_id=made.subscription_id,
        expected_version=shown.version,
        name="137",
        url=partner.url,
        events=ALL,
    )
    administration.send()
    assert sorted(partner.types()[3:]) == ["case.decided", "case.opened"]
    assert administration.shown(made.subscription_id).state == "active"


def test_a_partner_that_is_gone_is_paused_at_once(
    administration: Administration, notify: NotifyFixture, person: Person, partner: Partner
) -> None:
    made = administration.subscribe(partner.url)
    partner.status = 410
    notify.publish(person.opened())
    administration.send()
    assert administration.shown(made.subscription_id).state == "failing"


def test_a_paused_subscription_misses_what_happens(
    administration: Administration, notify: NotifyFixture, person: Person, partner: Partner
) -> None:
    made = administration.subscribe(partner.url)
    fields = {"subscription_id": made.subscription_id, "name": "137", "url": partner.url, "events": ALL}
    paused = administration.ask("change", ChangeWebhookSubscription, expected_version=1, active=False, **fields)
    assert paused.state == "paused"
    notify.publish(person.opened())
    with pytest.raises(StaleVersion):
        administration.ask("change", ChangeWebhookSubscription, expected_version=1, **fields)
    administration.ask("change", ChangeWebhookSubscription, expected_version=2, **fields)
    administration.send()
    assert partner.received == []


def test_deliveries_are_replayed_one_by_one_and_since_a_moment(
    administration: Administration, notify: NotifyFixture, person: Person, partner: Partner
) -> None:
    made = administration.subscribe(partner.url)
    other = administration.subscribe(partner.url)
    of_it = {"subscription_id": made.subscription_id}
    notify.publish(person.opened())
    since = notify.clock + timedelta(minutes=30)
    notify.later(hours=1)
    notify.publish(person.decided())
    administration.send()
    first = [delivery.delivery_id for delivery in reversed(administration.log(made.subscription_id))]
    partner.received.clear()

    key = uuid4().hex
    replayed = administration.ask("replay", ReplayWebhookDeliveries, **of_it, delivery_id=first[0], idempotency_key=key)
    administration.send()
    assert (replayed.replayed, partner.ids()) == (1, [str(first[0])])
    again = administration.ask("replay", ReplayWebhookDeliveries, **of_it, delivery_id=first[0], idempotency_key=key)
    administration.send()
    assert (again.replayed, len(partner.received)) == (0, 1)
    assert administration.ask("replay", ReplayWebhookDeliveries, **of_it, since=since).replayed == 1
    administration.send()
    assert partner.ids() == [str(first[0]), str(first[1])]

    for which in ({}, {"delivery_id": first[0], "since": since}):
        with pytest.raises(InvalidField):
            administration.ask("replay", ReplayWebhookDeliveries, **of_it, **which)
    with pytest.raises(NotFound):
        administration.ask(
            "replay", ReplayWebhookDeliveries, subscription_id=other.subscription_id, delivery_id=first[0]
        )


def test_the_log_is_read_by_pages_and_by_state_and_ends_after_a_month(
    administration: Administration, notify: NotifyFixture, partner: Partner
) -> None:
    made = administration.subscribe(partner.url)
    notify.publish(*(Person(notify.keys).opened() for _ in range(5)))
    read: list[UUID] = []
    after = None
    for _ in range(3):
        page = administration.ask(
            "list_deliveries", ListWebhookDeliveries, subscription_id=made.subscription_id, after=after, limit=2
        )
        read += [delivery.delivery_id for delivery in page.items]
        after = page.next
    assert (len(set(read)), after) == (5, None)
    assert administration.log(made.subscription_id, state="delivered") == []
    administration.send()
    assert len(administration.log(made.subscription_id, state="delivered")) == 5
    with pytest.raises(InvalidField):
        administration.log(made.subscription_id, after="nonsense")
    with pytest.raises(NotFound):
        administration.log(uuid4())
    notify.later(days=31)
    assert administration.app.webhook_sender.prune(notify.database) == 5
    assert administration.log(made.subscription_id) == []


def test_a_rotated_secret_signs_beside_the_old_one_for_a_while(
    administration: Administration, notify: NotifyFixture, person: Person, partner: Partner
) -> None:
    made = administration.subscribe(partner.url)
    of_it = {"subscription_id": made.subscription_id}
    old = secret_of(made)
    new = secret_of(administration.ask("rotate_secret", RotateWebhookSecret, **of_it, overlap_hours=2))
    notify.publish(person.opened())
    administration.send()
    notify.later(hours=3)
    notify.publish(person.decided())
    administration.send()
    signed = [
        [received.is_signed_by(secret, now=int(received.headers["webhook-timestamp"])) for secret in (old, new)]
        for received in partner.received
    ]
    assert signed == [[True, True], [False, True]]
    cases = {received.body["data"]["case"] for received in partner.received}
    assert len(cases) == 1, "a rotation renames no case"

    stolen = new
    newest = secret_of(administration.ask("rotate_secret", RotateWebhookSecret, **of_it, overlap_hours=0))
    notify.publish(person.withdrawn())
    administration.send()
    last = partner.received[-1]
    assert [last.is_signed_by(secret, now=notify.clock.timestamp()) for secret in (stolen, newest)] == [False, True]
    everything = notify.rows.everything()
    assert not [secret for secret in (old, new, newest) if secret in everything]


def test_a_test_delivery_is_of_no_case_and_counts_as_no_failure(
    administration: Administration, notify: NotifyFixture, partner: Partner
) -> None:
    made = administration.subscribe(partner.url)
    of_it = {"subscription_id": made.subscription_id}
    partner.status = 500
    sent = administration.ask("send_test", SendWebhookTest, **of_it)
    administration.send()
    [delivery] = administration.log(made.subscription_id)
    assert (delivery.delivery_id, delivery.state, delivery.type) == (sent.delivery_id, "failed", "webhook.test")
    assert partner.received[0].body["data"] == {}
    assert administration.shown(made.subscription_id).failures == 0
    whole = {"name": "137", "url": partner.url, "events": ALL}
    administration.ask("change", ChangeWebhookSubscription, **of_it, **whole, expected_version=1, active=False)
    partner.status = 204
    notify.later(seconds=1)  # of two deliveries of one moment either is the first in the log
    administration.ask("send_test", SendWebhookTest, **of_it)
    administration.send()
    assert [delivery.state for delivery in administration.log(made.subscription_id)] == ["delivered", "failed"], (
        "a paused one can be tried"
    )


def test_a_slow_partner_leaves_the_others_their_places(
    administration: Administration, notify: NotifyFixture, partner: Partner
) -> None:
    slow, other = administration.subscribe(partner.url), administration.subscribe(partner.url)
    notify.publish(*(Person(notify.keys).opened() for _ in range(20)))
    claimed = administration.app.webhook_sender.claim(notify.database, 16)
    for_slow = [attempt for attempt in claimed if attempt.row.subscription_id == slow.subscription_id]
    for_other = [attempt for attempt in claimed if attempt.row.subscription_id == other.subscription_id]
    assert (len(for_slow), len(for_other)) == (4, 4)
    assert administration.app.webhook_sender.claim(notify.database, 16) == []


def test_partners_that_do_not_answer_leave_room_for_those_that_do(
    administration: Administration, notify: NotifyFixture, partner: Partner
) -> None:
    partner.status = 500
    failing = [administration.subscribe(partner.url) for _ in range(6)]
    notify.publish(Person(notify.keys).opened())
    administration.send()
    partner.status = 204
    well = administration.subscribe(partner.url)
    notify.publish(*(Person(notify.keys).opened() for _ in range(6)))
    sender, database = administration.app.webhook_sender, notify.database
    claimed = sender.claim(database, 8, kept_free=2)
    of = Counter(attempt.row.subscription_id for attempt in claimed)
    assert of.pop(well.subscription_id) == 4
    assert (len(of), set(of.values())) == (2, {1}), "the others have one place each, and leave two"
    assert [attempt.row.subscription_id for attempt in claimed[:4]] == [well.subscription_id] * 4

    # Those that are taken make it one that answers again.
    for attempt in claimed:
        sender.settle(database, attempt, sender.attempt(attempt))
    again = Counter(attempt.row.subscription_id for attempt in sender.claim(database, 100))
    assert [again[made.subscription_id] for made in failing if made.subscription_id in of] == [4, 4]
    assert {again[made.subscription_id] for made in failing if made.subscription_id not in of} == {1}


def test_a_test_of_a_partner_that_does_not_answer_goes_before_what_waits_for_it(
    administration: Administration, notify: NotifyFixture, partner: Partner
) -> None:
    made = administration.subscribe(partner.url)
    partner.status = 500
    notify.publish(Person(notify.keys).opened())
    administration.send()
    notify.publish(*(Person(notify.keys).opened() for _ in range(5)))
    notify.later(seconds=60)
    sent = administration.ask("send_test", SendWebhookTest, subscription_id=made.subscription_id)
    [claimed] = administration.app.webhook_sender.claim(notify.database, 16)
    assert claimed.row.id == sent.delivery_id


def test_only_administrators_do_any_of_this_and_a_command_has_its_effect_once(
    administration: Administration, partner: Partner
) -> None:
    key = uuid4().hex
    made = administration.subscribe(partner.url, idempotency_key=key)
    again = administration.subscribe(partner.url, idempotency_key=key)
    assert (again.subscription_id, again.secret) == (made.subscription_id, None), "a secret is shown once"
    with pytest.raises(KeyReused):
        administration.subscribe(partner.url, ["case.opened"], idempotency_key=key)
    assert len(administration.ask("list_subscriptions", ListWebhookSubscriptions).items) == 1
    of_it = {"subscription_id": made.subscription_id}
    whole = {"name": "137", "url": partner.url, "events": ALL}
    requests: list[tuple[str, type[Any], dict[str, Any]]] = [
        ("list_subscriptions", ListWebhookSubscriptions, {}),
        ("get_subscription", GetWebhookSubscription, of_it),
        ("create", CreateWebhookSubscription, whole),
        ("change", ChangeWebhookSubscription, {**of_it, **whole, "expected_version": 1}),
        ("rotate_secret", RotateWebhookSecret, of_it),
        ("send_test", SendWebhookTest, of_it),
        ("list_deliveries", ListWebhookDeliveries, of_it),
        ("replay", ReplayWebhookDeliveries, {**of_it, "delivery_id": uuid4()}),
        ("delete", DeleteWebhookSubscription, {**of_it, "expected_version": 1}),
    ]
    for name, request, fields in requests:
        with pytest.raises(NotAllowed):
            administration.ask(name, request, HEAD, **fields)
        if of_it.items() <= fields.items():
            with pytest.raises(NotFound):
                administration.ask(name, request, **{**fields, "subscription_id": uuid4()})
    with pytest.raises(StaleVersion):
        administration.ask("delete", DeleteWebhookSubscription, **of_it, expected_version=7)
    key = uuid4().hex
    for _ in range(2):
        administration.ask("delete", DeleteWebhookSubscription, **of_it, expected_version=1, idempotency_key=key)
    assert administration.ask("list_subscriptions", ListWebhookSubscriptions).items == []
