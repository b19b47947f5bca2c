"""The administrator's endpoints and conditional questions: who may use them, and which errors name which field."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import BaseModel

from contracts.base import Request
from contracts.errors import InvalidField
from contracts.intake import (
    Catalogue,
    ChangeConfiguration,
    Condition,
    Ground,
    ListedCause,
    ListedReason,
    PutUnit,
    Question,
    QuestionType,
)
from contracts.vocabulary import Kind
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway, bearer, reasons, refusing

UNIT = {"parent": "city", "level": "office", "name_fa": "راه‌ها", "name_en": "Streets"}

_CONDUCT = CATALOGUE.grounds[2]
_IF_RUDE = Condition(question="what", values=["rude"])
CONDITIONAL = CATALOGUE.model_copy(
    update={
        "version": 8,
        "grounds": [
            *CATALOGUE.grounds[:2],
            _CONDUCT.model_copy(
                update={
                    "questions": [
                        *_CONDUCT.questions[1:],
                        Question(
                            code="words",
                            type=QuestionType.TEXT,
                            name_fa="واژه‌ها",
                            name_en="Words",
                            required=True,
                            when=_IF_RUDE,
                        ),
                    ]
                }
            ),
        ],
        "refusal_reasons": [
            ListedReason(code="repeat", name_fa="تکراری", name_en="Again", active=False),
            ListedReason(code="outside_remit", name_fa="بیرون", name_en="Out", address_fa="سامانه ۱۱۱"),
        ],
        "root_causes": [
            ListedCause(code="outside", name_fa="بیرون", name_en="Outside", active=False),
            ListedCause(code="weather", name_fa="هوا", name_en="Weather"),
        ],
    }
)


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path, **UNLIMITED)
    made.container.catalogue_cache.put(CONDITIONAL)
    return made


def put(gateway: Gateway, path: str, body: dict[str, Any], *roles: str, **headers: str) -> httpx.Response:
    sent = {"Idempotency-Key": uuid4().hex, "If-Match": '"8"', **bearer(gateway.keys.staff(*roles)), **headers}
    return gateway.send("PUT", path, json=body, headers=sent)


def ask(gateway: Gateway, **answers: Any) -> dict[str, str]:
    body = {
        "kind": "criticism",
        "unit": "roads",
        "ground": "conduct",
        "text": "در باجه با من تند رفتار شد.",
        "consent": True,
        "answers": answers,
    }
    return reasons(gateway.file(body))


class TestConditionalQuestions:
    def test_a_question_whose_condition_is_met_must_be_answered(self, gateway: Gateway) -> None:
        assert ask(gateway, what="rude") == {"answers.words": "missing"}
        assert ask(gateway, what="rude", words="ناسزا") == {}

    def test_a_question_whose_condition_is_not_met_is_neither_required_nor_accepted(self, gateway: Gateway) -> None:
        assert ask(gateway) == {}
        assert ask(gateway, words="ناسزا") == {"answers.words": "not_asked"}


class TestTheAdministratorsEndpoints:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/v1/configuration"),
            ("GET", "/v1/configuration/history"),
            ("PUT", "/v1/configuration/units/roads"),
            ("DELETE", "/v1/configuration/answer-templates/x"),
            ("GET", "/v1/staff/history"),
            ("POST", f"/v1/staff/{uuid4()}/credentials"),
            ("POST", f"/v1/staff/changes/{uuid4()}/confirmation"),
            ("POST", f"/v1/staff/changes/{uuid4()}/denial"),
            ("GET", "/v1/notification-texts"),
            ("DELETE", "/v1/notification-texts/sms/decided"),
            ("POST", "/v1/configuration/deadlines/preview"),
            ("POST", "/v1/configuration/retention/preview"),
            ("GET", "/v1/webhook-subscriptions"),
            ("GET", f"/v1/webhook-subscriptions/{uuid4()}/deliveries"),
            ("POST", f"/v1/webhook-subscriptions/{uuid4()}/test"),
            ("DELETE", f"/v1/webhook-subscriptions/{uuid4()}"),
        ],
    )
    @pytest.mark.parametrize("role", ["head", "screener", "analyst", "citizen", None])
    def test_no_other_role_has_access(self, gateway: Gateway, method: str, path: str, role: str | None) -> None:
        token = gateway.keys.citizen() if role == "citizen" else gateway.keys.staff(role) if role else None
        headers = {"Idempotency-Key": uuid4().hex, "If-Match": '"8"', **(bearer(token) if token else {})}
        answer = gateway.send(method, path, json=UNIT if method == "PUT" else None, headers=headers)
        assert answer.status_code == (403 if role else 401)
        assert gateway.rabbit.calls == []

    def test_a_change_carries_its_version_and_key(self, gateway: Gateway) -> None:
        def changed(request: Request) -> BaseModel:
            assert isinstance(request, ChangeConfiguration)
            (change,) = request.changes
            assert isinstance(change, PutUnit)
            assert (request.expected_version, request.idempotency_key) == (8, "key-12345")
            return CONDITIONAL.model_copy(update={"version": 9, "units": [change.unit]})

        gateway.rabbit.answers["intake.change_configuration"] = changed
        answer = put(
            gateway, "/v1/configuration/units/roads", UNIT, "administrator", **{"Idempotency-Key": "key-12345"}
        )
        assert (answer.status_code, answer.headers["etag"]) == (200, '"9"')
        assert answer.json()["units"][0]["name_en"] == "Streets"
        assert (
            gateway.container.catalogue_cache.units["roads"].name_en == "Streets"
        )  # at once, before the event is heard

    def test_without_a_version_no_service_is_called(self, gateway: Gateway) -> None:
        answer = put(gateway, "/v1/configuration/units/roads", UNIT, "administrator", **{"If-Match": ""})
        assert answer.status_code == 428
        assert gateway.rabbit.calls == []

    def test_an_error_names_the_field_of_the_body(self, gateway: Gateway) -> None:
        fields = [
            {"field": "units.roads.name_fa", "reason": "missing", "item": "roads"},
            {"field": "units.roads.north.active", "reason": "open_children", "item": "roads.north"},
        ]
        gateway.rabbit.answers["intake.change_configuration"] = refusing(InvalidField(fields=fields))
        answer = put(gateway, "/v1/configuration/units/roads", UNIT, "administrator")
        assert answer.status_code == 422
        assert reasons(answer) == {"name_fa": "missing", "units.roads.north.active": "open_children"}

    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            ("/v1/configuration/units/roads", {**UNIT, "active": "no"}, "active"),
            ("/v1/configuration/units/roads", {**UNIT, "active": 0}, "active"),
            ("/v1/configuration/calendar", {"weekend": ["4"]}, "weekend.0"),
            ("/v1/configuration/calendar", {"holidays": [0]}, "holidays.0"),
            ("/v1/configuration/deadlines", {"deadlines": [{"days": "7"}]}, "deadlines.0.days"),
            ("/v1/configuration/deadlines", {"deadlines": [{"days": True}]}, "deadlines.0.days"),
            ("/v1/configuration/deadlines", {"deadlines": [{"days": 7, "urgent": "yes"}]}, "deadlines.0.urgent"),
            ("/v1/configuration/decisions", {"auto_close_days": "10"}, "auto_close_days"),
            (
                "/v1/configuration/retention",
                {"retention": [{"kind": "complaint", "identity_months": 1, "evidence_months": 1, "text_months": "1"}]},
                "retention.0.text_months",
            ),
            (
                f"/v1/staff/{uuid4()}",
                {"display_name": "پیشخوان", "roles": ["operator"], "unit": None, "active": "no"},
                "active",
            ),
        ],
    )
    def test_a_text_is_not_accepted_as_flag_or_number(
        self, gateway: Gateway, path: str, body: dict[str, Any], field: str
    ) -> None:
        """An account closed, or a unit, by the word "no" would be nobody's wish."""
        answer = put(gateway, path, body, "administrator")
        assert answer.status_code == 422
        assert list(reasons(answer)) == [field]
        assert gateway.rabbit.calls == []

    def test_an_account_cannot_have_an_unknown_unit(self, gateway: Gateway) -> None:
        body = {"username": "desk-2", "display_name": "پیشخوان ۲", "roles": ["operator"], "unit": "nowhere"}
        headers = {"Idempotency-Key": uuid4().hex, **bearer(gateway.keys.staff("administrator"))}
        answer = gateway.send("POST", "/v1/staff", json=body, headers=headers)
        assert (answer.status_code, reasons(answer)) == (422, {"unit": "unknown_unit"})
        assert gateway.rabbit.calls == []


class TestOtherReaders:
    def test_the_public_catalogue_contains_only_what_a_form_needs(self, gateway: Gateway) -> None:
        shown = gateway.send("GET", "/v1/catalogue").json()
        assert set(shown) == {"version", "units", "grounds", "holidays", "weekend"}

    def test_the_copy_on_disk_is_complete(self, gateway: Gateway) -> None:
        again = Gateway(gateway.settings.gateway_state_dir)
        again.container.catalogue_cache.load()
        assert again.container.catalogue_cache.current == CONDITIONAL

    def test_staff_are_offered_the_open_reasons(self, gateway: Gateway) -> None:
        shown = gateway.send("GET", "/v1/lists", headers=bearer(gateway.keys.staff("screener"))).json()
        assert [reason["code"] for reason in shown["refusal_reasons"]] == ["outside_remit"]
        assert gateway.send("GET", "/v1/lists", headers=bearer(gateway.keys.citizen())).status_code == 403

    def test_a_closed_reason_is_refused(self, gateway: Gateway) -> None:
        headers = {"Idempotency-Key": uuid4().hex, "If-Match": '"1"', **bearer(gateway.keys.staff("screener"))}
        body = {"reason": "repeat", "explanation": "پیش‌تر پاسخ داده شده است."}
        answer = gateway.send("POST", f"/v1/cases/{uuid4()}/refusal", json=body, headers=headers)
        assert reasons(answer) == {"reason": "not_offered"}

    @pytest.mark.parametrize("path", ["decision", "proposal"])
    def test_a_root_cause_that_is_not_offered_is_refused(self, gateway: Gateway, path: str) -> None:
        headers = {"Idempotency-Key": uuid4().hex, "If-Match": '"1"', **bearer(gateway.keys.staff("head"))}
        for cause, reason in (("outside", "not_offered"), ("moon", "unknown_code")):
            body = {"outcome": "upheld", "reasons": "دلیل", "root_causes": ["weather", cause]}
            answer = gateway.send("POST", f"/v1/cases/{uuid4()}/{path}", json=body, headers=headers)
            assert reasons(answer) == {"root_causes": reason}
        assert gateway.rabbit.calls == []

    def test_the_configured_address_is_used_when_none_is_given(self, gateway: Gateway) -> None:
        headers = {"Idempotency-Key": uuid4().hex, "If-Match": '"1"', **bearer(gateway.keys.staff("screener"))}
        body = {"reason": "outside_remit", "explanation": "با شرکت آب است."}
        gateway.send("POST", f"/v1/cases/{uuid4()}/refusal", json=body, headers=headers)
        (_, request), *_ = gateway.rabbit.calls
        assert request.model_dump()["command"]["address"] == "سامانه ۱۱۱"


def test_a_process_of_the_previous_release_reads_grounds_without_conditions() -> None:
    ground = Ground(
        code="delay",
        kinds=[Kind.COMPLAINT],
        name_fa="اطاله",
        name_en="Delay",
        questions=[Question(code="since", type=QuestionType.DATE, name_fa="از کی", name_en="Since")],
    )
    catalogue = Catalogue(version=1, units=[], grounds=[ground]).model_dump(mode="json")
    assert "when" not in catalogue["grounds"][0]["questions"][0]
