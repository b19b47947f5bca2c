"""What happens to a push, and to its SMS, at the same moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import Connection

from services.notify.push import store as push_store
from tests.support.notify import NotifyFixture, Person
from tests.support.push_devices import bearer, deliver, prefer, push_service_of, subscribe
from tests.support.push_service import PushService


@pytest.fixture
def service(notify: NotifyFixture) -> Iterator[PushService]:
    with push_service_of(notify) as opened:
        yield opened


def test_an_sms_goes_at_once_whose_push_fails_while_it_is_put_off(
    notify: NotifyFixture, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    deliver(notify)
    browser = service.browser()
    subscribe(notify, bearer(person), browser)
    prefer(notify, bearer(person), "push")
    service.forget(browser)
    notify.publish(person.decided())
    states_of_sms, pushing = push_store.states_of_sms, Thread(target=notify.send_pushes)

    def read_before_it_fails(connection: Connection, ids: Collection[UUID]) -> dict[UUID, set[str]]:
        states = states_of_sms(connection, ids)
        if pushing.ident is None:
            pushing.start()
            pushing.join(2)  # it ends, or waits until the SMS is put off
        return states

    monkeypatch.setattr(push_store, "states_of_sms", read_before_it_fails)
    notify.send()
    pushing.join()
    assert notify.rows.sms(person.case_id, "decided")["state"] == "due"
    notify.send()
    assert notify.rows.sms(person.case_id, "decided")["state"] == "sent"
