"""Submissions for others: what operators file for citizens, and complaints of a group."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backbone import sealing
from contracts.gateway import GroupMember, GroupMembers, Identity
from tests.support.gateway import COMPLAINT, CRITICISM, REPORT, UNLIMITED, Gateway, bearer, reasons

BY_AN_OPERATOR: dict[str, Any] = COMPLAINT | {
    "channel": "counter",
    "identity": {"name": "نماینده نمونه", "mobile": "۰۹۱۲۱۲۳۴۵۶۷"},
    "desk_consent": {"form": "signed", "to": ["filing", "sms"]},
}


OF_A_GROUP: dict[str, Any] = COMPLAINT | {
    "group": {
        "members": 12,
        "common": "ساکنان کوچه شانزدهم",
        "people": [{"name": "همسایه نخست", "mobile": "۰۹۳۵۱۲۳۴۵۶۷"}, {"name": "همسایه دوم"}],
    }
}


@pytest.fixture
def gateway(unlimited_gateway: Gateway) -> Gateway:
    unlimited_gateway.rabbit.reset()
    return unlimited_gateway


class TestAnOperator:
    def test_an_operator_files_for_a_consenting_citizen(self, gateway: Gateway) -> None:
        operator = uuid4()
        token = gateway.keys.staff("operator", sub=str(operator))
        answer = gateway.file(BY_AN_OPERATOR, **bearer(token))

        assert answer.status_code == 201, answer.text
        assert len(answer.json()["next_steps"]) == 4
        sent = gateway.last()
        assert (sent.filed_by, sent.citizen_id, sent.channel) == (operator, None, "counter")
        assert sent.sealed_contact is not None
        assert sent.consent is not None
        assert (sent.consent.form, sent.consent.to) == ("signed", ["filing", "sms"])
        assert (sent.consent.recorded_by, sent.consent.recorded_at >= sent.filed_at - timedelta(seconds=5)) == (
            operator,
            True,
        )

    def test_without_consent_to_sms_the_identity_is_kept_and_no_sms_sent(self, gateway: Gateway) -> None:
        token = gateway.keys.staff("operator")
        answer = gateway.file(BY_AN_OPERATOR | {"desk_consent": {"form": "spoken", "to": ["filing"]}}, **bearer(token))

        assert (answer.status_code, len(answer.json()["next_steps"])) == (201, 3)
        sent = gateway.last()
        assert (sent.sealed_contact, sent.mobile_hash) == (None, None)
        private = [bytes.fromhex(gateway.keys.environment["INTAKE_PRIVATE_KEYS"])]
        assert sent.sealed_identity is not None
        assert sealing.unseal(sent.sealed_identity, Identity, private).mobile == "+989121234567"

    @pytest.mark.parametrize(
        ("consent", "field"),
        [(None, "desk_consent"), ({"form": "signed", "to": ["sms"]}, "desk_consent.to")],
    )
    @pytest.mark.parametrize(("language", "detail"), [("fa", "رضایت"), ("en", "consent")])
    def test_nothing_is_filed_without_consent(
        self, gateway: Gateway, consent: Any, field: str, language: str, detail: str
    ) -> None:
        headers = bearer(gateway.keys.staff("operator")) | {"Accept-Language": language}
        for body in (BY_AN_OPERATOR, REPORT | {"channel": "phone"}):
            answer = gateway.file(body | {"desk_consent": consent}, **headers)

            assert (answer.status_code, answer.json()["code"]) == (422, "citizen_consent_missing")
            assert reasons(answer) == {field: "citizen_consent_missing"}
            assert detail in answer.json()["detail"]
        assert gateway.rabbit.published == []

    def test_consent_to_sms_needs_a_mobile_and_a_valid_form(self, gateway: Gateway) -> None:
        headers = bearer(gateway.keys.staff("operator"))
        without = BY_AN_OPERATOR | {"identity": {"name": "نماینده نمونه"}}
        assert reasons(gateway.file(without, **headers)) == {"identity.mobile": "missing"}
        wrong = BY_AN_OPERATOR | {"desk_consent": {"form": "nodded", "to": ["filing", "filing"]}}
        assert reasons(gateway.file(wrong, **headers)) == {"desk_consent.form": "enum", "desk_consent.to": "twice"}
        assert gateway.rabbit.published == []

    def test_the_mobile_is_hashed_for_whom_it_belongs_to_even_without_consent_to_sms(self, gateway: Gateway) -> None:
        headers = bearer(gateway.keys.staff("operator"))
        gateway.file(BY_AN_OPERATOR, **headers)
        with_sms = gateway.last()
        gateway.file(BY_AN_OPERATOR | {"desk_consent": {"form": "spoken", "to": ["filing"]}}, **headers)
        quiet = gateway.last()
        assert (with_sms.identity_mobile_hash, quiet.mobile_hash) == (None, None)
        assert (
            quiet.identity_mobile_hash == with_sms.mobile_hash == gateway.container.filing.mobile_hash("+989121234567")
        )

    def test_without_a_mobile_where_the_office_allows_it(self, gateway: Gateway, tmp_path: Path) -> None:
        without = BY_AN_OPERATOR | {
            "identity": {"name": "نماینده نمونه"},
            "desk_consent": {"form": "spoken", "to": ["filing"]},
        }
        assert gateway.file(without, **bearer(gateway.keys.staff("operator"))).status_code == 201
        strict = Gateway(tmp_path, desk_without_mobile=False, **UNLIMITED)
        headers = bearer(strict.keys.staff("operator"))
        assert reasons(strict.file(without, **headers)) == {"identity.mobile": "missing"}
        report = REPORT | {"channel": "phone", "desk_consent": without["desk_consent"]}
        assert strict.file(report, **headers).status_code == 201, "who stays anonymous has none"

    def test_citizens_neither_need_nor_give_consent(self, gateway: Gateway) -> None:
        given = REPORT | {"desk_consent": BY_AN_OPERATOR["desk_consent"]}
        assert reasons(gateway.file(given)) == {"desk_consent": "only_for_operators"}
        assert gateway.file(REPORT).status_code == 201
        assert gateway.last().consent is None

    def test_a_retry_is_the_same_only_with_the_same_consent(self, gateway: Gateway) -> None:
        headers = bearer(gateway.keys.staff("operator")) | {"Idempotency-Key": "key-of-the-desk"}
        codes_given = [
            gateway.file(BY_AN_OPERATOR | {"desk_consent": {"form": "signed", "to": to}}, **headers).json()[
                "tracking_code"
            ]
            for to in (["filing", "sms"], ["sms", "filing"], ["filing"])
        ]

        assert codes_given[0] == codes_given[1] != codes_given[2]

    def test_other_staff_do_not_file(self, gateway: Gateway) -> None:
        answer = gateway.file(BY_AN_OPERATOR, **bearer(gateway.keys.staff("inspector")))

        assert answer.status_code == 403

    def test_nobody_else_files_through_the_office(self, gateway: Gateway) -> None:
        assert reasons(gateway.file(REPORT | {"channel": "phone"})) == {"channel": "only_for_operators"}
        given = CRITICISM | {"identity": {"mobile": "09121234567"}}
        assert reasons(gateway.file(given)) == {"identity.mobile": "only_for_operators"}


class TestAGroup:
    def test_is_published_with_its_size_and_its_members_sealed_to_intake(self, gateway: Gateway) -> None:
        answer = gateway.file(OF_A_GROUP, **bearer(gateway.keys.citizen()))

        assert answer.status_code == 201, answer.text
        sent = gateway.last()
        assert sent.group is not None
        assert (sent.group.members, sent.group.common) == (12, "ساکنان کوچه شانزدهم")
        sent_as_it_is = gateway.rabbit.published[-1].body.decode()
        assert "همسایه" not in sent_as_it_is
        assert "9351234567" not in sent_as_it_is
        private = [bytes.fromhex(gateway.keys.environment["INTAKE_PRIVATE_KEYS"])]
        assert sent.sealed_members is not None
        assert sealing.unseal(sent.sealed_members, GroupMembers, private).items == [
            GroupMember(name="همسایه نخست", mobile="+989351234567"),
            GroupMember(name="همسایه دوم"),
        ]

    @pytest.mark.parametrize(
        ("change", "wrong"),
        [
            ({"members": 1}, {"group.members": "greater_than_equal"}),
            ({"members": 1001}, {"group.members": "less_than_equal"}),
            ({"members": "12"}, {"group.members": "int_type"}),
            ({"common": " "}, {"group.common": "missing"}),
            ({"members": 2}, {"group.people": "more_than_members"}),
            (
                {"people": [{"mobile": "12"}, {}]},
                {"group.people.0.mobile": "not_a_mobile", "group.people.1": "missing"},
            ),
            ({"people": [{"mobile": "09121234567"}]}, {"group.people.0.mobile": "is_the_representative"}),
            (
                {"people": [{"mobile": "09351234567"}, {"mobile": "۰۰۹۸۹۳۵۱۲۳۴۵۶۷"}]},
                {"group.people.1.mobile": "twice"},
            ),
        ],
    )
    def test_that_is_invalid_is_refused(self, gateway: Gateway, change: Any, wrong: dict[str, str]) -> None:
        for language in ("fa", "en"):
            headers = bearer(gateway.keys.citizen()) | {"Accept-Language": language}
            answer = gateway.file(OF_A_GROUP | {"group": OF_A_GROUP["group"] | change}, **headers)

            assert (answer.status_code, reasons(answer)) == (422, wrong)
            assert all(
                error["message"] not in ("درست نیست.", "It is not right.") for error in answer.json()["errors"]
            ), answer.text
        assert gateway.rabbit.published == []

    def test_has_one_identified_representative(self, gateway: Gateway) -> None:
        assert gateway.file(OF_A_GROUP).json()["code"] == "identity_needed"
        for kind in (CRITICISM, REPORT):
            answer = gateway.file(kind | {"group": OF_A_GROUP["group"]}, **bearer(gateway.keys.citizen()))
            assert reasons(answer) == {"group": "only_for_complaints"}

    def test_is_covered_by_its_receipt(self, gateway: Gateway) -> None:
        headers = bearer(gateway.keys.citizen())
        hashes = []
        for group in (OF_A_GROUP["group"], OF_A_GROUP["group"] | {"people": []}, {"members": 13, "common": "همسایه"}):
            payload = gateway.file(OF_A_GROUP | {"group": group}, **headers).json()["receipt"]["payload"]
            hashes.append(json.loads(payload)["content_hash"])

        assert hashes[0] == hashes[1] != hashes[2]

    def test_with_other_members_is_another_submission(self, gateway: Gateway) -> None:
        headers = bearer(gateway.keys.citizen(sub=str(uuid4()))) | {"Idempotency-Key": "key-of-a-group"}
        changes: list[dict[str, Any]] = [{}, {}, {"people": []}]
        given = [
            gateway.file(OF_A_GROUP | {"group": OF_A_GROUP["group"] | change}, **headers).json()["tracking_code"]
            for change in changes
        ]

        assert given[0] == given[1] != given[2]
