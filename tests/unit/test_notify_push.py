"""What a push is made of: its encryption, the header by which its sender is known, when it is repeated, where it may go."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from contracts.notify import MessageChannel
from contracts.vocabulary import Language
from services.notify.notifications.recipients import CITIZEN
from services.notify.notifications.registry import shipped_registry
from services.notify.notifications.rules import BRINGING_A_CODE, OWED
from services.notify.push import encryption, rules
from services.notify.push.encryption import from_unpadded, unpadded
from services.notify.push.sender import payload
from tests.support.push_service import Browser, decrypt
from texts.vocabulary import KIND_NAMES, STAGE_NAMES

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

# RFC 8291, 5 and appendix A.
PAYLOAD = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECEIVER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
RECEIVER_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95b"
    "Qpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_a_payload_is_encrypted_as_the_example_of_the_standard() -> None:
    sender = encryption.read_private_key(from_unpadded(SENDER))
    body = encryption.encrypt(
        PAYLOAD, from_unpadded(RECEIVER), from_unpadded(AUTH), sender=sender, salt=from_unpadded(SALT)
    )
    assert unpadded(body) == BODY


def test_the_browser_of_the_tests_reads_the_example_of_the_standard() -> None:
    key = encryption.read_private_key(from_unpadded(RECEIVER_PRIVATE))
    assert decrypt(from_unpadded(BODY), key, from_unpadded(AUTH)) == PAYLOAD


def test_a_payload_is_read_by_its_browser_alone_and_its_length_tells_nothing() -> None:
    browser, other = Browser(), Browser()
    bodies = [
        encryption.encrypt(payload, browser.point, browser.auth, rules.MOST_SEALED_BYTES)
        for payload in (b"short", b"a much longer payload, in another language")
    ]
    assert len({len(body) for body in bodies}) == 1
    assert len(bodies[0]) < 4096
    assert browser.read(bodies[0]) == b"short"
    with pytest.raises(InvalidTag):
        other.read(bodies[0])


def test_a_push_service_knows_the_sender_by_the_header() -> None:
    key = encryption.read_private_key(bytes(31) + b"\x07")
    scheme, _, rest = encryption.authorization(key, "https://push.example", "mailto:a@b.ir", NOON).partition(" ")
    fields = dict(part.split("=", 1) for part in rest.split(", "))
    signed, _, signature = fields["t"].rpartition(".")
    header, claims = (json.loads(from_unpadded(part)) for part in signed.split("."))
    raw = from_unpadded(signature)
    public = encryption.read_public_key(from_unpadded(fields["k"]))
    pair = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA256()))
    assert (scheme, header) == ("vapid", {"typ": "JWT", "alg": "ES256"})
    assert claims["aud"] == "https://push.example"
    assert claims["sub"] == "mailto:a@b.ir"
    assert NOON.timestamp() < claims["exp"] <= (NOON + timedelta(hours=24)).timestamp()


def test_what_no_preference_stops_is_an_sms_to_the_citizen() -> None:
    to_citizens = {
        notification.template
        for notification in shipped_registry()
        if notification.recipient is CITIZEN and MessageChannel.SMS in notification.channels
    }
    assert to_citizens >= OWED >= BRINGING_A_CODE


@pytest.mark.parametrize("language", Language)
def test_no_push_says_what_the_case_is(language: Language) -> None:
    for to_staff in (True, False):
        told = json.loads(payload(UUID(int=7), to_staff, language))
        assert set(told) == {"title", "lang", "dir", "message_id"}
        assert len(payload(UUID(int=7), to_staff, language)) < rules.MOST_SEALED_BYTES
        kinds = {name[Language(language)] for names in (KIND_NAMES, STAGE_NAMES) for name in names.values()}
        assert not any(word in told["title"] for word in kinds)


@pytest.mark.parametrize("point", [b"", bytes(65), b"\x04" + b"\x01" * 64, b"\x02" + b"\x01" * 32])
def test_what_is_no_point_of_the_curve_is_refused(point: bytes) -> None:
    with pytest.raises(encryption.BadKey):
        encryption.encrypt(b"x", point, bytes(16))


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("fcm.googleapis.com", True),
        ("updates.push.services.mozilla.com", True),
        ("wns2-par02p.notify.windows.com", True),
        ("evilfcm.googleapis.com", False),
        ("fcm.googleapis.com.evil.example", False),
        ("partner.example", False),
    ],
)
def test_pushes_go_to_push_services_alone(host: str, is_one: bool) -> None:
    assert rules.is_push_service(host, rules.PUSH_SERVICES) is is_one


def test_any_host_may_be_allowed() -> None:
    assert rules.is_push_service("push.example", ["*"])


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, 5), ("2", 5), ("60", 60), ("999999", 3600), ("Fri, 31 Dec 1999", 5), ("-1", 5)]
)
def test_a_push_service_is_left_alone_as_long_as_it_asks_for_but_no_longer_than_an_hour(
    header: str | None, seconds: int
) -> None:
    assert rules.retry_after(header, timedelta(seconds=5)) == timedelta(seconds=seconds)
