"""How Kavenegar's pushes are parsed: in any of the shapes that its customers have seen."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from contracts.gateway import PushKind, SmsPush
from services.notify.inbound.meanings import substitute_id
from services.notify.providers.kavenegar import Kavenegar
from services.notify.providers.protocol import (
    DeliveryReceipt,
    DeliveryStatus,
    InboundText,
    MalformedPush,
    UnreadableItem,
)
from tests.support.notify import NOON

FORM = "application/x-www-form-urlencoded"
KAVENEGAR = Kavenegar(base_url="http://provider", api_key="none")


def by_query(fields: dict[str, Any], kind: PushKind = PushKind.INBOUND) -> SmsPush:
    return SmsPush(kind=kind, query=urlencode(fields))


def by_form(fields: dict[str, Any], kind: PushKind = PushKind.INBOUND) -> SmsPush:
    return SmsPush(kind=kind, content_type=FORM, body=urlencode(fields).encode())


def by_json(content: Any, kind: PushKind = PushKind.INBOUND, content_type: str = "application/json") -> SmsPush:
    return SmsPush(kind=kind, content_type=content_type, body=json.dumps(content).encode())


@pytest.mark.parametrize(
    "push",
    [
        by_query({"from": "09121234567", "to": "1000", "message": "سلام", "messageid": "77"}),
        by_query({"FROM": "09121234567", "To": "1000", "Body": "سلام", "id": "77"}),
        by_form({"sender": "09121234567", "receptor": "1000", "text": "سلام", "messageId": "77"}),
        by_json({"Sender": "09121234567", "message": "سلام", "messageid": 77}),
        by_json([{"from": "09121234567", "body": "سلام", "messageid": 77}]),
        by_json({"from": "09121234567", "message": "سلام", "messageid": "77"}, content_type="text/plain"),
    ],
)
def test_an_inbound_text_is_read_in_any_shape(push: SmsPush) -> None:
    assert KAVENEGAR.parse_push(push) == [InboundText("09121234567", "سلام", "77")]


def test_each_of_several_items_of_one_push_is_read() -> None:
    items = [{"from": f"0912123456{digit}", "message": "x", "messageid": digit} for digit in range(3)]
    assert [text.message_id for text in KAVENEGAR.parse_push(by_json(items)) if isinstance(text, InboundText)] == [
        "0",
        "1",
        "2",
    ]


GOOD = {"from": "09121234567", "message": "1", "messageid": "1"}


@pytest.mark.parametrize(
    "bad",
    [{"message": "x"}, {"from": "09121234567"}, {"from": {"a": 1}, "message": ["x"]}, {}, 1, None, "text", []],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_unreadable_item_of_a_batch_loses_no_other(bad: Any, place: int) -> None:
    batch = [GOOD, {**GOOD, "messageid": "2"}]
    batch.insert(place, bad)
    items = list(KAVENEGAR.parse_push(by_json(batch)))
    assert isinstance(items.pop(place), UnreadableItem)
    assert [item.message_id for item in items if isinstance(item, InboundText)] == ["1", "2"]


def test_an_unreadable_receipt_of_a_batch_loses_no_other() -> None:
    batch = [{"messageid": "1", "status": "10"}, {"messageid": "2", "status": "?"}, {"messageid": "3", "status": 10}]
    items = KAVENEGAR.parse_push(by_json(batch, PushKind.DELIVERY))
    assert [type(item) for item in items] == [DeliveryReceipt, UnreadableItem, DeliveryReceipt]


@pytest.mark.parametrize("push", [by_json([{**GOOD, "message": ""}]), by_form({**GOOD, "message": ""})])
def test_an_empty_text_is_a_text(push: SmsPush) -> None:
    assert KAVENEGAR.parse_push(push) == [InboundText("09121234567", "", "1")]


def test_a_batch_as_large_as_the_gateway_takes_is_read() -> None:
    batch = [{"from": "09121234567", "body": "1", "id": number} for number in range(1_300)]
    push = by_json(batch)
    assert 50_000 < len(push.body) < 65_536
    assert len(KAVENEGAR.parse_push(push)) == len(batch)


def test_without_an_id_a_repetition_gets_the_same_one() -> None:
    ids = [substitute_id("+989121234567", text, NOON) for text in ("سلام", "سلام", "درود")]
    assert ids[0] == ids[1] != ids[2]
    [text] = KAVENEGAR.parse_push(by_query({"from": "09121234567", "message": "سلام"}))
    assert isinstance(text, InboundText)
    assert text.message_id is None


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("10", DeliveryStatus.DELIVERED),
        (10, DeliveryStatus.DELIVERED),
        ("۱۰", DeliveryStatus.DELIVERED),
        ("-1", DeliveryStatus.UNKNOWN),
    ],
)
def test_a_delivery_receipt_is_read(status: Any, meaning: DeliveryStatus) -> None:
    push = by_json({"messageid": 901, "status": status}, PushKind.DELIVERY)
    assert KAVENEGAR.parse_push(push) == [DeliveryReceipt("901", meaning)]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"[1]", "application/json"),
        (b"[" * 16_000, "application/json"),
        (b"\xff\xff=\xff", FORM),
        (b"&".join(b"a%d=1" % at for at in range(200)), FORM),
        (b'{"from":{"a":1},"message":["x"]}', "application/json"),
    ],
)
@pytest.mark.parametrize("kind", list(PushKind))
def test_garbage_is_malformed(body: bytes, content_type: str, kind: PushKind) -> None:
    with pytest.raises(MalformedPush):
        KAVENEGAR.parse_push(SmsPush(kind=kind, content_type=content_type, body=body))


@pytest.mark.parametrize("status", ["", "delivered", "1234567", "1.5"])
def test_a_receipt_whose_status_is_no_number_is_malformed(status: str) -> None:
    with pytest.raises(MalformedPush):
        KAVENEGAR.parse_push(by_form({"messageid": "1", "status": status}, PushKind.DELIVERY))


@pytest.mark.parametrize("message", ["\ud800", "a\0b"])
def test_characters_that_no_database_accepts_are_replaced(message: str) -> None:
    [text] = KAVENEGAR.parse_push(by_json({"from": "09121234567", "message": message}))
    assert isinstance(text, InboundText)
    text.text.encode()
    assert "\0" not in text.text
