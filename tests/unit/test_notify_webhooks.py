"""Webhooks: where they may go, what they say, how they are signed, and when they are tried again or paused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis.strategies import ip_addresses

from contracts import tracking
from contracts.tracking import CaseSnapshot, TrackedEvent
from contracts.webhooks import WebhookEventType
from services.notify.webhooks import rules
from services.notify.webhooks.addresses import UrlRefused, allowed_addresses, may_call, parse_target
from services.notify.webhooks.http_client import DeliveryFailed, WebhookClient

PORTS = (443, 8443)
INNER = [ip_network("10.20.0.0/16"), ip_network("fd00:20::/32")]
AT = datetime(2026, 11, 24, 8, 41, 17, 123456, tzinfo=UTC)
ANYBODY = rules.Subscriber(uuid4(), frozenset(WebhookEventType), information=False)


MORE: dict[type[TrackedEvent], dict[str, Any]] = {
    tracking.CaseDecided: {"outcome": "upheld", "final": False, "objection_until": None},
    tracking.CaseRated: {"score": 1},
}


def event(cls: type[TrackedEvent] = tracking.CaseOpened, **state: Any) -> Any:
    snapshot = {
        "number": "1405-000123",
        "kind": "complaint",
        "unit": "dep.urb.permits",
        "ground": "delay",
        "stage": "registered",
        "channel": "web",
        "filed_at": AT,
        "handler": uuid4(),
        "citizen_id": uuid4(),
        "code_hash": "a" * 64,
        "score": 1,
    }
    return cls(
        id=uuid4(),
        occurred_at=AT,
        case_id=uuid4(),
        sequence=3,
        state=CaseSnapshot.model_validate({**snapshot, **state}),
        **MORE.get(cls, {}),
    )


# --- where they may go ---


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001::1",
        "2001:db8::1",
        "100::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2a00:1450:4001::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_public_is_never_called(address: str) -> None:
    assert not may_call(ip_address(address), [])


@pytest.mark.parametrize(
    "address", ["5.160.1.1", "1.1.1.1", "172.32.0.1", "2a00:1450:4001::1", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_a_public_address_is_called(address: str) -> None:
    assert may_call(ip_address(address), [])


@given(address=ip_addresses(v=4))
def test_an_address_of_ipv4_is_judged_alike_in_whatever_notation_of_ipv6(address: IPv4Address) -> None:
    """Mapped, translated (NAT64) and relayed (6to4): what is inside is what a packet reaches."""
    number = int(address)
    mapped, translated = IPv6Address(0xFFFF << 32 | number), IPv6Address((0x64FF9B << 96) | number)
    relayed = IPv6Address(0x2002 << 112 | number << 80)
    assert {may_call(each, []) for each in (mapped, translated, relayed)} == {may_call(address, [])}
    assert not (may_call(address, []) and not address.is_global)


@given(address=ip_addresses(v=6))
def test_no_address_of_ipv6_beyond_the_public_ones_is_called(address: IPv6Address) -> None:
    assert (
        not may_call(address, [])
        or address.is_global
        or address in ip_network("64:ff9b::/96")
        or address.ipv4_mapped
        or address.sixtofour
    )


def test_an_inner_network_is_called_when_a_setting_allows_it() -> None:
    assert may_call(ip_address("10.20.3.4"), INNER)
    assert may_call(ip_address("::ffff:10.20.3.4"), INNER)
    assert may_call(ip_address("fd00:20::1"), INNER)
    assert not may_call(ip_address("10.21.3.4"), INNER)
    assert not may_call(ip_address("169.254.169.254"), INNER)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://partner.example/", "webhook_scheme"),
        ("ftp://partner.example/", "webhook_scheme"),
        ("//partner.example/", "webhook_scheme"),
        ("partner.example", "webhook_scheme"),
        ("https:///path", "webhook_url"),
        ("https://", "webhook_url"),
        ("https://user:word@partner.example/", "webhook_url"),
        ("https://@partner.example/", "webhook_url"),
        ("https://partner.example/#part", "webhook_url"),
        ("https://partner.example\\@127.0.0.1/", "webhook_url"),
        ("https://partner.example/ x", "webhook_url"),
        ("https://partner.example/\r\nHost: x", "webhook_url"),
        ("https://شریک.example/", "webhook_url"),
        ("https://partner_x.example/", "webhook_url"),
        ("https://a..example/", "webhook_url"),
        ("https://[::1", "webhook_url"),
        ("https://partner.example:x/", "webhook_url"),
        ("https://partner.example:70000/", "webhook_url"),
        ("https://2130706433/", "webhook_url"),
        ("https://127.1/", "webhook_url"),
        ("https://0x7f.0.0.1/", "webhook_url"),
        ("https://0x7f000001/", "webhook_url"),
        ("https://0177.0.0.1/", "webhook_url"),
        ("https://partner.0x7f/", "webhook_url"),
        ("https://127.0.0.1/", "webhook_address"),
        ("https://127.0.0.1./", "webhook_address"),
        ("https://[::1]/", "webhook_address"),
        ("https://[::ffff:169.254.169.254]/", "webhook_address"),
        ("https://[fe80::1%25eth0]/", "webhook_address"),
        ("https://169.254.169.254/latest/meta-data/", "webhook_address"),
        ("http://10.21.0.1/", "webhook_address"),
        ("https://partner.example:22/", "webhook_port"),
        ("https://partner.example:80/", "webhook_port"),
        ("https://partner.example:0/", "webhook_port"),
    ],
)
def test_an_address_that_is_never_right_is_refused_as_it_is_typed(url: str, reason: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        parse_target(url, PORTS, INNER)
    assert refused.value.reason == reason


def test_an_address_is_called_under_its_own_name_and_port() -> None:
    target = parse_target("https://Partner.example:8443/hook?of=1", PORTS, [])
    assert (target.host, target.port, target.authority) == ("partner.example", 8443, "partner.example:8443")
    assert target.at(ip_address("1.1.1.1")) == "https://1.1.1.1:8443/hook?of=1"
    assert target.at(ip_address("2a00:1450::1")) == "https://[2a00:1450::1]:8443/hook?of=1"
    assert parse_target("https://partner.example", PORTS, []).path == "/"


def test_plain_http_and_other_ports_are_for_allowed_networks_alone() -> None:
    assert parse_target("http://10.20.0.9:8080/hook", PORTS, INNER).port == 8080


def test_a_name_with_one_inner_address_is_not_called() -> None:
    assert list(map(str, allowed_addresses(["2a00:1450:4001::1", "1.1.1.1", "1.1.1.1"], []))) == [
        "1.1.1.1",
        "2a00:1450:4001::1",
    ]
    for resolved in (["1.1.1.1", "127.0.0.1"], ["::1"], [], ["fe80::1%eth0"], ["nonsense"]):
        with pytest.raises(UrlRefused):
            allowed_addresses(resolved, [])


class Called(Exception):
    """To which address a client would have connected."""


def test_a_name_that_resolves_otherwise_a_moment_later_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter((["1.1.1.1"], ["127.0.0.1"]))
    hosts: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        hosts.append(host)
        return next(answers)

    def connect(self: Any, request: Any) -> Any:
        raise Called(str(request.url), request.headers["host"], request.extensions["sni_hostname"])

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", connect)
    client = WebhookClient([], PORTS, 1.0, resolve)
    with pytest.raises(Called) as called:
        client.post("https://rebinding.example/hook", {}, b"{}")
    # Resolved once, and connected to what was judged; TLS still proves the name.
    assert called.value.args == ("https://1.1.1.1/hook", "rebinding.example", "rebinding.example")
    assert hosts == ["rebinding.example"]
    with pytest.raises(DeliveryFailed) as refused:
        client.post("https://rebinding.example/hook", {}, b"{}")
    assert refused.value.reason == "address_refused"


def test_a_name_that_nobody_knows_fails_the_attempt() -> None:
    client = WebhookClient([], PORTS, 1.0, lambda host, port: [])
    with pytest.raises(DeliveryFailed) as failed:
        client.post("https://nowhere.example/", {}, b"{}")
    assert failed.value.reason == "name_unknown"


# --- what they say ---


def test_a_partner_is_told_nothing_of_persons_texts_and_numbers() -> None:
    told = event(tracking.CaseDecided, stage="decided", outcome="upheld")
    assert rules.payload(told) == {
        "type": "case.decided",
        "timestamp": "2026-11-24T08:00:00Z",
        "data": {
            "sequence": 3,
            "kind": "complaint",
            "unit": "dep.urb.permits",
            "ground": "delay",
            "stage": "decided",
            "outcome": "upheld",
        },
    }
    assert rules.due_at(told, AT) == AT


def test_of_a_report_only_who_may_is_told_without_its_place_and_on_the_next_day() -> None:
    report = event(kind="information")
    assert not ANYBODY.wants(report)
    allowed = rules.Subscriber(uuid4(), frozenset({"case.opened"}), information=True)
    assert allowed.wants(report)
    told = rules.payload(report)
    assert told["timestamp"] == "2026-11-24T00:00:00Z"
    assert (told["data"]["unit"], told["data"]["ground"]) == (None, None)
    assert rules.due_at(report, AT) == datetime(2026, 11, 25, tzinfo=UTC)


def test_each_event_has_one_public_type_or_none() -> None:
    assert rules.public_type(event()) == "case.opened"
    assert rules.public_type(event(tracking.CaseStageChanged, stage="closed")) == "case.closed"
    assert rules.public_type(event(tracking.CaseStageChanged, stage="screening")) == "case.stage_changed"
    assert rules.public_type(event(tracking.CaseRated)) is None
    assert not ANYBODY.wants(event(tracking.CaseRated))
    assert not rules.Subscriber(uuid4(), frozenset({"case.closed"}), True).wants(event())


def test_a_case_has_one_name_to_each_subscription_and_another_to_others() -> None:
    case_id = uuid4()
    one, other = bytes(32), bytes(31) + b"1"
    assert rules.case_reference(one, case_id) == rules.case_reference(one, case_id)
    assert rules.case_reference(one, case_id) != rules.case_reference(other, case_id)
    assert str(case_id).replace("-", "") != rules.case_reference(one, case_id)


# --- how they are signed ---


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The vector of the specification's reference libraries."""
    signed = rules.signatures(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_in_an_overlap_both_secrets_sign() -> None:
    old, new = rules.secret_text(b"o" * 32), rules.secret_text(b"n" * 32)
    both = rules.signatures([new, old], "id", 7, b"{}").split(" ")
    expected = [
        base64.b64encode(hmac.new(key * 32, b"id.7.{}", hashlib.sha256).digest()).decode() for key in (b"n", b"o")
    ]
    assert both == [f"v1,{signature}" for signature in expected]


def test_the_same_bytes_are_sent_in_each_attempt() -> None:
    stored = json.loads(json.dumps(rules.payload(event())))
    shuffled = dict(reversed(stored.items()))
    assert rules.body(stored, "ab") == rules.body(shuffled, "ab")
    assert json.loads(rules.body(stored, "ab"))["data"]["case"] == "ab"
    assert "case" not in json.loads(rules.body(rules.payload_of_test(AT), None))["data"]


# --- when they are tried again, and paused ---


def test_attempts_are_spread_over_two_days_and_end() -> None:
    waits = [rules.retry_wait(attempts, 0.5) for attempts in range(1, rules.ATTEMPTS)]
    total = sum((wait for wait in waits if wait is not None), timedelta())
    assert timedelta(hours=44) < total < timedelta(hours=52)
    assert waits == sorted(wait for wait in waits if wait is not None)
    assert rules.retry_wait(rules.ATTEMPTS, 0.5) is None


def test_deliveries_that_failed_together_do_not_come_back_together() -> None:
    soonest, latest = rules.retry_wait(2, 0.0), rules.retry_wait(2, 1.0)
    assert (soonest, latest) == (timedelta(seconds=48), timedelta(seconds=72))


@pytest.mark.parametrize(
    ("failures", "hours", "given_up", "paused"),
    [(1, 48, False, False), (20, 23, False, False), (20, 24, False, True), (12, 48, True, True), (3, 48, True, False)],
)
def test_a_subscription_is_paused_when_it_fails_often_and_for_long(
    failures: int, hours: int, given_up: bool, paused: bool
) -> None:
    since = AT - timedelta(hours=hours)
    span = timedelta(hours=24)
    assert rules.is_failing(failures, since, AT, given_up=given_up, most=20, span=span) is paused


def test_an_event_is_one_delivery_to_a_subscription() -> None:
    event_id, subscription_id = UUID(int=1), UUID(int=2)
    assert rules.delivery_id(event_id, subscription_id) == rules.delivery_id(event_id, subscription_id)
    assert rules.delivery_id(event_id, subscription_id) != rules.delivery_id(event_id, UUID(int=3))
