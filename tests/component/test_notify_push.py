"""Pushes to devices: who gets them, what they say, when an SMS goes instead, and what becomes of a device that is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts import tracking
from contracts.base import now
from contracts.desk import SubmissionDisowned
from contracts.errors import InvalidField, NotFound, StillRegistering
from contracts.preferences import QuietTimes, ShowPreferences
from contracts.push import (
    MOST_SUBSCRIPTIONS,
    GetPushKey,
    UnsubscribePush,
)
from contracts.vocabulary import Language, Role, Stage
from tests.support.notify import MORNING, NIGHT, NotifyFixture, Person
from tests.support.push_devices import (
    bearer,
    citizen,
    deliver,
    devices,
    hired,
    prefer,
    push_service_of,
    staff_actor,
    subscribe,
)
from tests.support.push_service import PushService, b64


@pytest.fixture
def service(notify: NotifyFixture) -> Iterator[PushService]:
    with push_service_of(notify) as opened:
        yield opened


def test_a_push_says_that_there_is_news_and_nothing_of_the_case(notify: NotifyFixture, service: PushService) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    browser = service.browser()
    subscribe(notify, bearer(person), browser)
    notify.publish(person.decided())
    deliver(notify)
    [pushed] = service.of(browser)
    [inbox] = [row for row in notify.rows.of_case(person.case_id, "inbox") if row["template"] == "decided"]
    assert pushed.payload == {
        "title": "پیگیر: خبر تازه‌ای از پرونده شما",
        "lang": "fa",
        "dir": "rtl",
        "message_id": str(inbox["id"]),
    }
    assert service.problems == []
    assert (pushed.headers["ttl"], pushed.headers["urgency"], len(pushed.headers["topic"])) == ("259200", "normal", 32)
    for secret in (person.code, person.code[-4:], person.phone, str(person.case_id), person.number):
        assert secret not in str(pushed.headers) + str(pushed.payload)
    assert len(notify.sms_of(person)) == 2, "as before: who has chosen nothing gets both"
    assert devices(notify, bearer(person))[0].last_sent_at == notify.clock


def test_each_device_of_a_case_and_of_its_account_is_told_once(notify: NotifyFixture, service: PushService) -> None:
    account = uuid4()
    person = Person(notify.keys, citizen_id=account)
    phone, laptop, stranger = (service.browser() for _ in range(3))
    subscribe(notify, citizen(account), phone)
    subscribe(notify, citizen(uuid4()), stranger)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    assert len(service.of(phone)) == 1, "the receipt, too, though contact and message are written together"
    subscribe(notify, bearer(person), phone)  # the same device holds the code as well
    subscribe(notify, bearer(person), laptop)
    decided = person.decided()
    notify.publish(decided)
    notify.publish(decided)
    deliver(notify)
    assert (len(service.of(phone)), len(service.of(laptop)), len(service.of(stranger))) == (2, 1, 0)


def test_who_prefers_pushes_gets_no_sms_of_what_was_pushed(notify: NotifyFixture, service: PushService) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    subscribe(notify, bearer(person), service.browser())
    prefer(notify, bearer(person), "push")
    notify.publish(person.decided())
    notify.send()
    assert notify.rows.sms(person.case_id, "decided")["state"] == "due", "it waits for its push"
    notify.send_pushes()
    notify.send()
    row = notify.rows.sms(person.case_id, "decided")
    assert (row["state"], row["reason"]) == ("skipped", "pushed")
    assert len(service.received) == 1
    assert len(notify.sms_of(person)) == 1, "the receipt alone, which brings the code"


def test_a_code_comes_by_sms_whatever_is_preferred(notify: NotifyFixture, service: PushService) -> None:
    account = uuid4()
    subscribe(notify, citizen(account), service.browser())
    prefer(notify, citizen(account), "push")
    person = Person(notify.keys, citizen_id=account)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    assert person.shown_code in notify.sms_of(person)[0]


def test_a_result_falls_back_to_sms_when_the_device_is_gone_and_other_news_do_not(
    notify: NotifyFixture, service: PushService
) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    browser = service.browser()
    subscribe(notify, bearer(person), browser)
    prefer(notify, bearer(person), "push")
    service.forget(browser)
    notify.publish(person.decided())
    deliver(notify)
    assert service.attempts == [browser.name], "410 is not tried again"
    assert devices(notify, bearer(person)) == []
    assert notify.rows.sms(person.case_id, "decided")["state"] == "sent"
    notify.publish(person.withdrawn())
    deliver(notify)
    row = notify.rows.sms(person.case_id, "withdrawn")
    assert (row["state"], row["reason"]) == ("skipped", "not_pushed")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_push_service_that_is_down_is_tried_again_and_then_the_sms_goes(
    notify: NotifyFixture, service: PushService, status: int
) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    subscribe(notify, bearer(person), service.browser())
    prefer(notify, bearer(person), "push")
    service.status, service.retry_after = status, "120"
    notify.publish(person.decided())
    deliver(notify)
    assert len(service.attempts) == 1
    notify.later(seconds=60)
    deliver(notify)
    assert len(service.attempts) == 1, "it asked for two minutes"
    notify.later(seconds=70)
    deliver(notify)
    assert len(service.attempts) == 2
    assert notify.rows.sms(person.case_id, "decided")["state"] == "due"
    for _ in range(12):
        notify.later(minutes=10)
        deliver(notify)
    assert notify.rows.sms(person.case_id, "decided")["state"] == "sent"
    assert devices(notify, bearer(person)), "a service that is down takes no device away"


def test_it_is_pushed_when_the_service_is_back(notify: NotifyFixture, service: PushService) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    browser = service.browser()
    subscribe(notify, bearer(person), browser)
    prefer(notify, bearer(person), "push")
    service.status = 503
    notify.publish(person.decided())
    deliver(notify)
    service.status = 201
    notify.later(seconds=10)
    deliver(notify)
    assert len(service.of(browser)) == 1
    assert notify.rows.sms(person.case_id, "decided")["reason"] == "pushed"


def test_a_device_whose_subscription_has_expired_is_not_pushed_to(notify: NotifyFixture, service: PushService) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    in_an_hour = int((notify.clock + timedelta(hours=1)).timestamp() * 1000)
    subscribe(notify, bearer(person), service.browser(), expirationTime=in_an_hour)
    prefer(notify, bearer(person), "push")
    notify.later(hours=2)
    notify.publish(person.decided())
    deliver(notify)
    assert service.attempts == []
    assert notify.rows.sms(person.case_id, "decided")["state"] == "sent"


def test_pushes_wait_until_the_quiet_hours_end_unless_they_are_urgent(
    notify: NotifyFixture, service: PushService
) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    browser = service.browser()
    subscribe(notify, bearer(person), browser)
    notify.clock = NIGHT
    notify.publish(person.decided())
    deliver(notify)
    assert service.received == []
    notify.publish(person.withdrawn())
    deliver(notify)
    [urgent] = service.of(browser)
    assert urgent.headers["urgency"] == "high"
    notify.clock = MORNING
    deliver(notify)
    assert len(service.of(browser)) == 2


def test_ones_own_quiet_hours_and_language_go_before_the_offices(notify: NotifyFixture, service: PushService) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    subscribe(notify, bearer(person), service.browser())
    # 15:30 in Tehran.
    prefer(notify, bearer(person), language=Language.EN, quiet=QuietTimes(start="15:00", until="16:45"))
    notify.publish(person.decided())
    deliver(notify)
    assert (service.received, len(notify.sms_of(person))) == ([], 1)
    notify.later(hours=1)
    deliver(notify)
    assert (service.received, len(notify.sms_of(person))) == ([], 1)
    notify.later(minutes=15)
    deliver(notify)
    assert service.received[0].payload["title"] == "Peygir: news of your case"
    assert "complaint" in notify.sms_of(person)[1]
    notify.clock = NIGHT
    notify.publish(person.event(tracking.CaseReopened, Stage.SCREENING, mistake="decided"))
    deliver(notify)
    assert len(service.received) == 2, "the office's quiet hours are not theirs"


def test_who_wants_nothing_is_told_what_is_owed_alone(notify: NotifyFixture, service: PushService) -> None:
    account = uuid4()
    person = Person(notify.keys, citizen_id=account)
    subscribe(notify, citizen(account), service.browser())
    prefer(notify, citizen(account), "none")
    notify.publish(person.registered(), person.opened(), person.decided())
    deliver(notify)
    notify.publish(person.withdrawn())
    deliver(notify)
    assert service.received == []
    states = {row["template"]: (row["state"], row["reason"]) for row in notify.rows.of_case(person.case_id)}
    assert states == {
        "registered": ("sent", None),
        "decided": ("sent", None),
        "withdrawn": ("skipped", "not_wanted"),
    }
    prefer(notify, bearer(person), "both")  # for this case it goes before the account's
    other = Person(notify.keys, citizen_id=account)
    notify.publish(other.registered(), other.opened(), other.withdrawn())
    notify.publish(person.event(tracking.CaseObjected, Stage.REVIEW))
    deliver(notify)
    assert notify.rows.sms(person.case_id, "objection_registered")["state"] == "sent"
    assert notify.rows.sms(other.case_id, "withdrawn")["reason"] == "not_wanted"


def test_sms_alone_brings_no_push(notify: NotifyFixture, service: PushService) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    subscribe(notify, bearer(person), service.browser())
    prefer(notify, bearer(person), "sms")
    notify.publish(person.decided())
    deliver(notify)
    assert service.received == []
    assert len(notify.sms_of(person)) == 2


def test_who_filed_anonymously_is_told_on_a_device(notify: NotifyFixture, service: PushService) -> None:
    person = Person(notify.keys, mobile=None)
    notify.publish(person.registered(), person.opened())
    browser = service.browser()
    subscribe(notify, bearer(person), browser)
    notify.publish(person.citizen_asked())
    deliver(notify)
    assert len(service.of(browser)) == 1


def test_a_new_code_and_a_disowned_mobile_end_the_devices_of_the_old_one(
    notify: NotifyFixture, service: PushService
) -> None:
    person, other = Person(notify.keys), Person(notify.keys)
    notify.publish(person.registered(), person.opened(), other.registered(), other.opened())
    subscribe(notify, bearer(person), service.browser())
    subscribe(notify, bearer(other), service.browser())
    notify.publish(person.recoded())
    assert devices(notify, bearer(person)) == []
    disowned = SubmissionDisowned(id=uuid4(), occurred_at=now(), case_id=other.case_id, filed_by=uuid4())
    notify.publish(disowned)
    assert devices(notify, bearer(other)) == []
    notify.publish(person.decided(), other.decided())
    deliver(notify)
    assert service.received == []


def test_staff_are_told_of_their_inbox_and_never_where_they_have_a_conflict_of_interest(
    notify: NotifyFixture, service: PushService
) -> None:
    head, conflicted, left = uuid4(), uuid4(), uuid4()
    browsers = {staff_id: service.browser() for staff_id in (head, conflicted, left)}
    person = Person(notify.keys)
    notify.publish(hired(head, Role.HEAD), hired(conflicted, Role.HEAD, unit="roads"), hired(left, Role.HEAD))
    for staff_id, browser in browsers.items():
        subscribe(notify, staff_actor(staff_id), browser)
    with notify.database.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO units (code, parent, version) VALUES ('roads', NULL, 1)")
    notify.publish(hired(left, version=2, active=False))
    notify.publish(person.registered(), person.opened(), person.event(tracking.CaseObjected, Stage.REVIEW))
    deliver(notify)
    [pushed] = service.of(browsers[head])
    assert pushed.payload["title"] == "پیگیر: پیام تازه‌ای در صندوق شما"
    assert not service.of(browsers[conflicted])
    assert not service.of(browsers[left])


def test_staff_who_want_none_get_none(notify: NotifyFixture, service: PushService) -> None:
    head = uuid4()
    notify.publish(hired(head, Role.HEAD))
    subscribe(notify, staff_actor(head), service.browser())
    with pytest.raises(InvalidField):
        prefer(notify, staff_actor(head), "sms")
    prefer(notify, staff_actor(head), "none")
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened(), person.event(tracking.CaseObjected, Stage.REVIEW))
    deliver(notify)
    assert service.received == []


def test_a_device_is_kept_sealed_and_is_ones_own_to_take_back(notify: NotifyFixture, service: PushService) -> None:
    person, other = Person(notify.keys), Person(notify.keys)
    with pytest.raises(StillRegistering):
        subscribe(notify, bearer(person), service.browser())
    notify.publish(person.registered(), other.registered())
    browser = service.browser()
    made = subscribe(notify, bearer(person), browser)
    assert subscribe(notify, bearer(person), browser) == made, "the same device again"
    assert made.service == "127.0.0.1"
    everything = notify.rows.everything()
    for secret in (browser.endpoint, browser.name, b64(browser.point), b64(browser.auth)):
        assert secret not in everything
    foreign = UnsubscribePush(**bearer(other), subscription_id=made.subscription_id)
    with notify.database.transaction() as connection:
        with pytest.raises(NotFound):
            notify.app.push.unsubscribe(connection, foreign)
        own = UnsubscribePush(**bearer(person), subscription_id=made.subscription_id)
        notify.app.push.unsubscribe(connection, own)
    assert devices(notify, bearer(person)) == []


def test_the_oldest_device_makes_room(notify: NotifyFixture, service: PushService) -> None:
    account = uuid4()
    made = []
    for _ in range(MOST_SUBSCRIPTIONS + 2):
        notify.later(seconds=1)
        made.append(subscribe(notify, citizen(account), service.browser()).subscription_id)
    kept = [device.subscription_id for device in devices(notify, citizen(account))]
    assert kept == list(reversed(made[2:]))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://partner.example/push",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://10.0.0.1/x",
        "http://169.254.169.254/latest",
        "https://2130706433/x",
        "ftp://fcm.googleapis.com/x",
    ],
)
def test_nothing_is_sent_but_to_push_services(notify: NotifyFixture, service: PushService, endpoint: str) -> None:
    with pytest.raises(InvalidField) as error:
        subscribe(notify, citizen(uuid4()), service.browser(), endpoint=endpoint)
    assert error.value.params["fields"] == [{"field": "endpoint", "reason": "no_push_service"}]


def test_keys_that_are_none_are_refused(notify: NotifyFixture, service: PushService) -> None:
    with pytest.raises(InvalidField) as error:
        subscribe(notify, citizen(uuid4()), service.browser(), p256dh="B" * 87)
    assert error.value.params["fields"] == [{"field": "keys.p256dh", "reason": "no_push_key"}]


def test_a_device_is_bound_to_the_key_it_was_subscribed_with(notify: NotifyFixture, service: PushService) -> None:
    account = uuid4()
    old, new = notify.settings.vapid_private_keys, notify.settings.code_mac_keys
    assert old is not None
    subscribe(notify, citizen(account), service.browser())
    settings = notify.settings.model_copy(update={"vapid_private_keys": [*new, *old]})
    notify.app = notify.another_app(settings=settings)
    assert notify.app.push.get_key(GetPushKey()).key != service.server_key
    person = Person(notify.keys, citizen_id=account)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    assert (len(service.received), service.problems) == (1, [])


def test_an_installation_without_a_key_pushes_nothing(notify: NotifyFixture, service: PushService) -> None:
    notify.app = notify.another_app(settings=notify.settings.model_copy(update={"vapid_private_keys": None}))
    with pytest.raises(NotFound):
        notify.app.push.get_key(GetPushKey())


def test_preferences_are_shown_as_they_hold(notify: NotifyFixture) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered())

    def shown() -> dict[str, Any]:
        with notify.database.read() as connection:
            answer = notify.app.preferences.show(connection, ShowPreferences(**bearer(person)))
            return answer.model_dump(mode="json")

    office = {"start": "22:00", "until": "07:00"}
    assert shown() == {
        "channel": "both",
        "language": None,
        "quiet": None,
        "office_quiet": office,
        "chosen": False,
    }
    prefer(notify, bearer(person), "push", language=Language.EN, quiet=QuietTimes(start="21:30", until="08:15"))
    assert shown() == {
        "channel": "push",
        "language": "en",
        "quiet": {"start": "21:30", "until": "08:15"},
        "office_quiet": office,
        "chosen": True,
    }


def test_old_pushes_leave_the_log(notify: NotifyFixture, service: PushService) -> None:
    account = uuid4()
    subscribe(notify, citizen(account), service.browser())
    person = Person(notify.keys, citizen_id=account)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    assert notify.app.push_sender.prune(notify.database) == 0
    notify.later(days=91)
    assert notify.app.push_sender.prune(notify.database) == 1
