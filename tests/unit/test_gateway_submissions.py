"""Submissions without a broker: what is refused, what is promised, and what is published."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from backbone import sealing
from contracts import tracking_codes
from contracts.gateway import Contact, Identity
from tests.support.gateway import COMPLAINT, CRITICISM, REPORT, UNLIMITED, Gateway, bearer, reasons


@pytest.fixture
def gateway(unlimited_gateway: Gateway) -> Gateway:
    unlimited_gateway.rabbit.reset()
    return unlimited_gateway


@pytest.fixture
def blind(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path, **UNLIMITED)


def test_after_a_key_rotation_intake_gets_the_former_code_hash(tmp_path: Path) -> None:
    new, old = b"n" * 32, b"o" * 32
    gateway = Gateway(tmp_path, code_index_keys=f"{new.hex()},{old.hex()}", **UNLIMITED)
    code = gateway.file(REPORT).json()["tracking_code"].replace(" ", "")
    sent = gateway.last()
    assert [sent.code_hash, *sent.other_code_hashes] == tracking_codes.hashes(code, [new, old])


class TestAnAnonymousReport:
    def test_gets_a_valid_code_and_is_published_without_it(self, gateway: Gateway) -> None:
        answer = gateway.file(REPORT)

        assert answer.status_code == 201
        code = answer.json()["tracking_code"]
        parsed = tracking_codes.parse(code, gateway.container.mac_keys)
        assert parsed is not None
        sent = gateway.last()
        assert sent.code_hash == tracking_codes.hashes(parsed, gateway.container.index_keys)[0]
        assert parsed.encode() not in gateway.rabbit.published[-1].body
        assert (sent.sealed_identity, sent.sealed_contact, sent.mobile_hash, sent.citizen_id) == (
            None,
            None,
            None,
            None,
        )
        assert sent.catalogue_version == 7
        assert str(sent.submission_id) == answer.json()["submission_id"] == gateway.rabbit.published[-1].message_id

    def test_of_a_signed_in_citizen_contains_no_identity(self, gateway: Gateway) -> None:
        gateway.file(REPORT, **bearer(gateway.keys.citizen()))

        sent = gateway.last()
        assert (sent.sealed_identity, sent.sealed_contact, sent.mobile_hash, sent.citizen_id) == (
            None,
            None,
            None,
            None,
        )

    def test_with_a_name_contradicts_itself(self, gateway: Gateway) -> None:
        answer = gateway.file(REPORT | {"identity": {"name": "شاکی نمونه"}})

        assert (answer.status_code, reasons(answer)) == (422, {"identity": "not_when_anonymous"})


class TestAComplaint:
    def test_seals_identity_to_intake_and_mobile_to_notify(self, gateway: Gateway) -> None:
        citizen = uuid4()
        token = gateway.keys.citizen("+989121234567", sub=str(citizen))
        answer = gateway.file(
            COMPLAINT | {"identity": {"name": "شاکی نمونه", "national_id": "۰۰۱۲۳۴۵۶۷۹"}}, **bearer(token)
        )

        assert answer.status_code == 201, answer.text
        sent, env = gateway.last(), gateway.keys.environment
        assert sent.citizen_id == citizen
        assert sent.sealed_identity is not None
        assert sent.sealed_contact is not None
        assert "شاکی" not in gateway.rabbit.published[-1].body.decode()
        intake = [bytes.fromhex(env["INTAKE_PRIVATE_KEYS"])]
        notify = [bytes.fromhex(env["NOTIFY_PRIVATE_KEYS"])]
        assert sealing.unseal(sent.sealed_identity, Identity, intake) == Identity(
            name="شاکی نمونه", national_id="0012345679", mobile="+989121234567"
        )
        contact = sealing.unseal(sent.sealed_contact, Contact, notify)
        assert contact.mobile == "+989121234567"
        assert contact.code == answer.json()["tracking_code"].replace(" ", "")
        with pytest.raises(sealing.CannotOpen):
            sealing.unseal(sent.sealed_contact, Contact, intake)
        assert sent.mobile_hash == sealing.keyed_hash("+989121234567", bytes.fromhex(env["MOBILE_INDEX_KEY"]))
        assert len(answer.json()["next_steps"]) == 4

    def test_needs_a_verified_mobile(self, gateway: Gateway) -> None:
        answer = gateway.file(COMPLAINT)

        assert (answer.status_code, answer.json()["code"]) == (401, "identity_needed")

    def test_needs_a_name(self, gateway: Gateway) -> None:
        answer = gateway.file(COMPLAINT | {"identity": None}, **bearer(gateway.keys.citizen()))

        assert (answer.status_code, reasons(answer)) == (422, {"identity.name": "missing"})

    def test_cannot_be_anonymous(self, gateway: Gateway) -> None:
        answer = gateway.file(COMPLAINT | {"anonymous": True}, **bearer(gateway.keys.citizen()))

        assert reasons(answer) == {"anonymous": "not_for_complaints"}

    def test_with_an_invalid_national_id_is_refused(self, gateway: Gateway) -> None:
        wrong = COMPLAINT | {"identity": {"name": "شاکی نمونه", "national_id": "0012345678"}}
        answer = gateway.file(wrong, **bearer(gateway.keys.citizen()))

        assert reasons(answer) == {"identity.national_id": "not_a_national_id"}

    def test_needs_a_national_id_where_configured(self, tmp_path: Path) -> None:
        strict = Gateway(tmp_path, national_id_required=True)
        answer = strict.file(COMPLAINT, **bearer(strict.keys.citizen()))

        assert reasons(answer) == {"identity.national_id": "missing"}

    def test_whose_mobile_was_sealed_by_somebody_else_is_refused(self, gateway: Gateway) -> None:
        foreign = sealing.encrypt("+989121234567", bytes(32))
        answer = gateway.file(COMPLAINT, **bearer(gateway.keys.token(ctc=foreign)))

        assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")


class TestARetry:
    def test_with_its_key_gets_the_same_code(self, gateway: Gateway) -> None:
        first = gateway.file(REPORT, **{"Idempotency-Key": "key-of-a-phone"}).json()
        second = gateway.file(REPORT, **{"Idempotency-Key": "key-of-a-phone"}).json()

        assert first["tracking_code"] == second["tracking_code"]
        assert first["submission_id"] == second["submission_id"]
        assert gateway.last().retryable

    def test_of_other_content_key_or_citizen_gets_another(self, gateway: Gateway) -> None:
        key = {"Idempotency-Key": "key-of-a-phone"}
        a, b = gateway.keys.citizen(), gateway.keys.citizen()
        made = [
            gateway.file(CRITICISM, **key),
            gateway.file(CRITICISM | {"text": "چیز دیگری نوشته شده است."}, **key),
            gateway.file(CRITICISM, **{"Idempotency-Key": "another-key"}),
            gateway.file(CRITICISM, **key, **bearer(a)),
            gateway.file(CRITICISM, **key, **bearer(b)),
            gateway.file(CRITICISM | {"identity": {"name": "شاکی نمونه"}}, **key),
        ]

        assert all(answer.status_code == 201 for answer in made)
        assert len({answer.json()["tracking_code"] for answer in made}) == len(made)
        assert len({answer.json()["submission_id"] for answer in made}) == len(made)

    def test_without_a_key_is_another_submission(self, gateway: Gateway) -> None:
        assert gateway.file(REPORT).json()["tracking_code"] != gateway.file(REPORT).json()["tracking_code"]

    @pytest.mark.parametrize("key", ["short", "x" * 101, "with spaces in it", "فارسی-فارسی"])
    def test_with_an_invalid_key_is_refused(self, gateway: Gateway, key: str) -> None:
        answer = gateway.send("POST", "/v1/submissions", json=REPORT, headers={"Idempotency-Key": key.encode()})

        assert (answer.status_code, reasons(answer)) == (422, {"Idempotency-Key": "string_pattern_mismatch"})


class TestTheCatalogue:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"unit": "nowhere"}, "unknown_unit"),
            ({"unit": "city"}, "unknown_unit"),
            ({"unit": "old"}, "closed_unit"),
            ({"ground": "nothing"}, "unknown_ground"),
            ({"ground": "delay"}, "ground_not_for_kind"),
        ],
    )
    def test_lists_what_can_be_filed(self, gateway: Gateway, change: dict[str, str], code: str) -> None:
        answer = gateway.file(REPORT | change)

        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert gateway.rabbit.published == []

    def test_is_not_needed(self, blind: Gateway) -> None:
        assert blind.file(REPORT | {"unit": "anything.well-formed"}).status_code == 201
        assert blind.file(REPORT | {"unit": "No Unit"}).status_code == 422

    @pytest.mark.parametrize(
        ("answers", "wrong"),
        [
            ({}, {"answers.day": "missing"}),
            ({"day": "yesterday"}, {"answers.day": "not_a_date"}),
            ({"day": "\u200c"}, {"answers.day": "missing"}),
            ({"day": "0001-01-01"}, {"answers.day": "too_long_ago"}),
            ({"day": "2098-01-01"}, {"answers.day": "in_the_future"}),
            ({"day": "5/9/2"}, {"answers.day": "year_incomplete"}),
            ({"day": "2026-11-20", "times": "many"}, {"answers.times": "not_a_number"}),
            ({"day": "2026-11-20", "times": True}, {"answers.times": "not_a_number"}),
            ({"day": "2026-11-20", "what": "kind"}, {"answers.what": "not_an_option"}),
            ({"day": "2026-11-20", "who": "me"}, {"answers.who": "unknown_question"}),
            ({"day": "2026-11-20", "times": 3, "what": "rude"}, {}),
        ],
    )
    def test_asks_its_extra_questions(self, gateway: Gateway, answers: dict[str, Any], wrong: dict[str, str]) -> None:
        assert reasons(gateway.file(CRITICISM | {"ground": "conduct", "answers": answers})) == wrong


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "field", "reason"),
        [
            ({"text": "کوتاه"}, "text", "string_too_short"),
            ({"text": " " * 20}, "text", "missing"),
            ({"text": "\u200c\u200b\u2800\u3164" * 5}, "text", "missing"),
            ({"text": "x" + "\u200c" * 20}, "text", "string_pattern_mismatch"),
            ({"text": "x" * 10_001}, "text", "string_too_long"),
            ({"text": "control \x07 character"}, "text", "string_pattern_mismatch"),
            ({"text": "nul \x00 character"}, "text", "string_pattern_mismatch"),
            ({"text": "override \u202e character"}, "text", "string_pattern_mismatch"),
            ({"text": "isolate \u2066 character"}, "text", "string_pattern_mismatch"),
            ({"text": 12345678901}, "text", "string_type"),
            ({"consent": False}, "consent", "consent_missing"),
            ({"kind": "praise"}, "kind", "enum"),
            ({"uploads": ["x" * 22] * 2}, "uploads", "twice"),
            ({"uploads": [f"{at:022d}" for at in range(11)]}, "uploads", "too_long"),
            ({"uploads": ["../../etc/passwd"]}, "uploads.0", "string_pattern_mismatch"),
            ({"happened_on": "2999-01-01"}, "happened_on", "in_the_future"),
            ({"happened_on": "0001-01-01"}, "happened_on", "too_long_ago"),
            ({"happened_on": "1379/12/29"}, "happened_on", "too_long_ago"),
            ({"happened_on": "23/11/26"}, "happened_on", "year_incomplete"),
            ({"happened_on": "3/4/2026"}, "happened_on", "ambiguous_date"),
            ({"happened_on": 0}, "happened_on", "date_type"),
            ({"place": {"latitude": 91}}, "place.latitude", "less_than_equal"),
            ({"place": {"address": "a\nb"}}, "place.address", "string_pattern_mismatch"),
            ({"people": ["a\u202eb"]}, "people.0", "string_pattern_mismatch"),
            ({"answers": {"day": "a\x00b"}}, "answers", "forbidden_characters"),
            ({"answers": {"day": 10**400}}, "answers", "not_a_number"),
            ({"extra": 1}, "extra", "extra_forbidden"),
            ({"channel": "sms"}, "channel", "only_for_operators"),
        ],
    )
    def test_a_wrong_field_is_named(self, gateway: Gateway, change: dict[str, Any], field: str, reason: str) -> None:
        answer = gateway.send(
            "POST", "/v1/submissions", content=json.dumps(REPORT | change), headers={"content-type": "application/json"}
        )

        assert answer.status_code == 422, answer.text
        reasons_by_field = reasons(answer)
        assert any(place.startswith(field) for place in reasons_by_field), reasons_by_field
        assert reason in reasons_by_field.values(), reasons_by_field
        assert gateway.rabbit.published == []

    def test_stores_text_as_typed(self, gateway: Gateway) -> None:
        typed = "  خط یک\r\n\tخط دو با ‌نیم‌فاصله و كاف عربی ۱۲٣  "
        assert gateway.file(REPORT | {"text": typed}).status_code == 201
        assert gateway.last().text == typed

    @pytest.mark.parametrize(
        ("raw", "status", "reason"),
        [
            (b"{", 400, "json_invalid"),
            (b"\xff\xfe", 400, "json_invalid"),
            (b'{"kind": NaN}', 400, "json_invalid"),
            (b'{"kind":"complaint","kind":"information"}', 400, "duplicate_key"),
            (b"[" * 10_000, 400, "too_deep"),
            (b"[" * 100_000, 400, "too_many_containers"),
            (b"[" * 30 + b"]" * 29, 400, "json_invalid"),
            (b"{" + b",".join(b'"%d":1' % number for number in range(501)) + b"}", 400, "too_many_fields"),
            (b'{"a":' * 30 + b"1" + b"}" * 30, 400, "too_deep"),
            (b"", 422, "model_type"),
            (b"null", 422, "model_type"),
            (b"[]", 422, "model_type"),
            (b'"text"', 422, "model_type"),
            (
                json.dumps(REPORT).replace("مصالح", "x").encode()[:-1] + b',"text":"\\ud800 lone half"}',
                400,
                "duplicate_key",
            ),
            (b'{"text":"\\ud800 a lone surrogate"}', 422, "string_unicode"),
        ],
    )
    def test_a_body_that_is_not_a_submission_is_refused(
        self, gateway: Gateway, raw: bytes, status: int, reason: str
    ) -> None:
        answer = gateway.send("POST", "/v1/submissions", content=raw, headers={"content-type": "application/json"})

        assert answer.status_code == status, answer.text
        assert reason in reasons(answer).values(), answer.text
        assert answer.headers["content-type"] == "application/problem+json"

    def test_another_content_type_is_refused(self, gateway: Gateway) -> None:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
            answer = gateway.send("POST", "/v1/submissions", content=b"a=b", headers={"content-type": kind})
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")

    def test_a_body_that_is_too_large_is_refused(self, gateway: Gateway) -> None:
        answer = gateway.send(
            "POST", "/v1/submissions", content=b"x" * 1_000_000, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def hashes(upload: str, octet: str) -> dict[str, Any]:
    return {"upload_hashes": {upload: octet * 32}}


class TestWithoutTheBroker:
    def test_without_the_broker_nothing_is_promised(self, gateway: Gateway) -> None:
        gateway.rabbit.up = False
        answer = gateway.file(REPORT)

        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert "tracking_code" not in answer.text


class TestTheReceipt:
    def test_covers_the_files_whose_hashes_were_given(self, gateway: Gateway) -> None:
        upload = "kq3v9mZ2Jt6xB1sYw8Rd0A"
        bare, with_hashes = (
            gateway.file(CRITICISM | {"uploads": [upload]} | more) for more in ({}, hashes(upload, "ab"))
        )
        other = gateway.file(CRITICISM | {"uploads": [upload]} | hashes(upload, "cd"))
        vouched = {
            json.loads(answer.json()["receipt"]["payload"])["content_hash"] for answer in (bare, with_hashes, other)
        }
        assert len(vouched) == 3
        assert reasons(gateway.file(CRITICISM | hashes(upload, "ab"))) == {f"upload_hashes.{upload}": "not_uploaded"}
        wrong = gateway.file(CRITICISM | {"uploads": [upload], "upload_hashes": {upload: "xyz"}})
        assert reasons(wrong) == {f"upload_hashes.{upload}": "string_pattern_mismatch"}

    def test_is_signed_and_contains_the_hash_of_the_submission(self, gateway: Gateway) -> None:
        answer = gateway.file(CRITICISM).json()
        key = gateway.send("GET", "/v1/receipts/key").json()

        payload = json.loads(answer["receipt"]["payload"])
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["public_key"]))
        public.verify(base64.b64decode(answer["receipt"]["signature"]), answer["receipt"]["payload"].encode())
        assert answer["receipt"]["key"] == key["key"]
        assert payload["submission_id"] == answer["submission_id"]
        assert answer["tracking_code"].replace(" ", "") not in answer["receipt"]["payload"]
        filed = {
            **{name: CRITICISM[name] for name in ("kind", "unit", "ground", "text")},
            "answers": {},
            "happened_on": None,
            "place": None,
            "reference": None,
            "people": [],
            "visit_wanted": False,
            "uploads": [],
        }
        canonical = json.dumps(filed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert payload["content_hash"] == hashlib.sha256(canonical.encode()).hexdigest() == gateway.last().content_hash
