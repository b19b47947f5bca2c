"""Publishing: each message is known to be with the broker or known not to be, and none is told twice."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.messaging import amqp
from backbone.messaging.amqp import Confirms, NotPublished
from contracts.accounts import StaffChanged
from contracts.base import now
from contracts.gateway import ReceiveSmsPush
from contracts.intake import SubmissionRegistered
from tests.support.tracing import continued

PAYLOADS = Path(__file__).parents[1] / "contract" / "payloads"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Channel:
    """A channel in confirm mode as the broker sees it; notes what each waiter is told."""

    def __init__(self) -> None:
        self.reported: dict[str, str | None] = {}
        self.confirms: Confirms[str] = Confirms(self._settle)
        self._sent = 0

    def _settle(self, waiter: str, error: NotPublished | None) -> None:
        assert waiter not in self.reported, "reported twice"
        self.reported[waiter] = None if error is None else str(error)

    def send(self, *names: str) -> None:
        for name in names:
            self._sent += 1
            self.confirms.sent(f"id of {name}", name)

    def ack(self, tag: int, multiple: bool = False) -> None:
        self.confirms.on_confirm(SimpleNamespace(method=pika.spec.Basic.Ack(tag, multiple)))

    def nack(self, tag: int, multiple: bool = False) -> None:
        self.confirms.on_confirm(SimpleNamespace(method=pika.spec.Basic.Nack(tag, multiple)))

    def give_back(self, name: str) -> None:
        self.confirms.on_return(pika.BasicProperties(message_id=f"id of {name}"))


@pytest.fixture
def channel() -> Channel:
    return Channel()


def test_a_confirmed_message_is_published(channel: Channel) -> None:
    channel.send("first", "second")
    channel.ack(2)
    assert channel.reported == {"second": None}
    assert len(channel.confirms) == 1


def test_one_confirm_may_cover_all_previous_messages(channel: Channel) -> None:
    channel.send("a", "b", "c", "d")
    channel.ack(3, multiple=True)
    assert channel.reported == {"a": None, "b": None, "c": None}
    channel.ack(4, multiple=True)
    assert channel.reported["d"] is None
    assert len(channel.confirms) == 0


def test_a_singly_confirmed_message_is_not_reported_again_by_a_multiple_confirm(channel: Channel) -> None:
    channel.send("a", "b", "c")
    channel.ack(2)
    channel.ack(2)
    channel.ack(3, multiple=True)
    assert channel.reported == dict.fromkeys("abc")


def test_a_message_that_no_queue_takes_is_not_published(channel: Channel) -> None:
    channel.send("taken", "homeless", "taken too")
    channel.give_back("homeless")
    channel.ack(3, multiple=True)
    assert channel.reported == {"taken": None, "homeless": "no queue takes it", "taken too": None}


def test_a_resent_message_is_judged_again(channel: Channel) -> None:
    channel.send("homeless")
    channel.give_back("homeless")
    channel.ack(1)
    channel.reported.clear()
    channel.send("homeless")
    channel.ack(2)
    assert channel.reported == {"homeless": None}


def test_a_message_that_the_broker_refuses_is_not_published(channel: Channel) -> None:
    channel.send("a", "b", "c")
    channel.nack(2, multiple=True)
    channel.ack(3)
    assert channel.reported == {"a": "the broker refused it", "b": "the broker refused it", "c": None}


def test_a_lost_channel_reports_each_waiting_message_as_lost_once(channel: Channel) -> None:
    channel.send("a", "b", "c")
    channel.ack(1)
    channel.confirms.lost("the connection closed")
    channel.confirms.lost("the connection closed")
    channel.ack(3, multiple=True)
    assert channel.reported == {"a": None, "b": "the connection closed", "c": "the connection closed"}


def test_a_confirm_of_an_unknown_message_is_ignored(channel: Channel) -> None:
    channel.ack(7)
    channel.ack(9, multiple=True)
    assert channel.reported == {}


@given(
    st.lists(
        st.one_of(
            st.just(("send", 0, False)),
            st.tuples(st.sampled_from(["ack", "nack", "back"]), st.integers(0, 12), st.booleans()),
        ),
        max_size=60,
    )
)
def test_each_message_is_reported_once_and_correctly_for_any_broker_answer(steps: list[tuple[str, int, bool]]) -> None:
    """The same as by a plain reading of the rules: returned before all, else as the first word on its tag says."""
    channel = Channel()
    words: dict[str, str | None] = {}
    waiting: dict[int, str] = {}
    returned: set[str] = set()
    for step, tag, multiple in steps:
        if step == "send":
            number = len(words) + len(waiting) + 1
            waiting[number] = f"m{number}"
            channel.send(f"m{number}")
        elif step == "back" and tag in waiting:
            returned.add(waiting[tag])
            channel.give_back(waiting[tag])
        elif step in {"ack", "nack"}:
            for covered in [n for n in waiting if n == tag or (multiple and n < tag)]:
                name = waiting.pop(covered)
                refused = "the broker refused it" if step == "nack" else None
                words[name] = "no queue takes it" if name in returned else refused
            (channel.ack if step == "ack" else channel.nack)(tag, multiple)
        assert channel.reported == words
    channel.confirms.lost("gone")
    assert channel.reported == words | dict.fromkeys(waiting.values(), "gone")


def test_an_event_goes_persistent_to_its_producers_exchange_with_the_current_trace() -> None:
    event = StaffChanged(
        id=uuid4(),
        occurred_at=now(),
        staff_id=uuid4(),
        version=1,
        display_name="کارشناس نمونه",
        roles=[],
        unit=None,
        active=True,
    )
    with continued(PARENT):
        message = amqp.event(event)
    assert (message.exchange, message.routing_key) == ("accounts.events", "staff.changed.v1")
    assert StaffChanged.model_validate_json(message.body) == event
    properties: Any = message.properties()
    assert properties.delivery_mode == 2
    assert properties.message_id == str(event.id)
    assert properties.type == "staff.changed.v1"
    assert properties.headers["traceparent"].split("-")[1] == PARENT.split("-")[1]


@pytest.mark.parametrize(("uploads", "ending"), [(["A" * 22], ""), ([], ".without_uploads")])
def test_an_event_without_uploads_is_not_routed_to_media(uploads: list[str], ending: str) -> None:
    payload = json.loads((PAYLOADS / "submission.registered.v1" / "2026-11.json").read_text())
    message = amqp.event(SubmissionRegistered.model_validate({**payload, "uploads": uploads}))
    assert message.routing_key == f"submission.registered.v1{ending}"
    assert message.properties().type == message.name == "submission.registered.v1"


def test_a_command_goes_to_the_gateways_exchange() -> None:
    command = ReceiveSmsPush(provider="kavenegar", sealed_push="c2VhbGVk", received_at=now())
    message = amqp.command(command, "its id")
    assert (message.exchange, message.routing_key, message.message_id) == (
        "gateway.commands",
        "receive_sms_push.v1",
        "its id",
    )
    assert json.loads(message.body)["provider"] == "kavenegar"
    assert message.headers["traceparent"]


@pytest.mark.parametrize("url", ["amqp://broker/peygir", "amqp://broker/peygir?channel_max=100"])
def test_a_hanging_peer_is_detected_within_half_a_minute(url: str) -> None:
    parameters: Any = amqp.parameters(url, "intake")
    assert parameters.heartbeat == 15
    assert parameters.blocked_connection_timeout == 60
    assert parameters.virtual_host == "peygir"
    assert parameters.client_properties["connection_name"] == "intake"
