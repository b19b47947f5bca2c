"""A day at the counter and on the phone: the operator files for those who cannot, and sees nothing of the office's work."""

from __future__ import annotations

import pytest

from tests.e2e.day_parts import refused
from tests.e2e.people import JSON, Town, good

pytestmark = pytest.mark.timeout(180)

CONSENT: JSON = {"form": "spoken", "to": ["filing"]}
CONSENT_TO_SMS: JSON = {**CONSENT, "to": ["filing", "sms"]}
COMPLAINT: JSON = {
    "kind": "complaint",
    "unit": "dep.urb.permits",
    "ground": "delay",
    "text": "پرونده پایان کار من سه ماه است که مانده است.",
    "channel": "counter",
    "desk_consent": CONSENT,
}


def fields(answer: object) -> dict[str, str]:
    return {error["field"]: error["reason"] for error in answer.json()["errors"]}  # type: ignore[attr-defined]  # a response


def test_a_citizen_at_the_counter_gets_a_code_by_sms_and_continues_alone(town: Town) -> None:
    operator = town.officer("operator")
    phone = town.phone()
    local = "0" + phone.mobile[3:]
    persian = local.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    about = {**COMPLAINT, "desk_consent": CONSENT_TO_SMS, "language": "fa"}
    case = town.file(operator.caller, **about, identity={"name": "مراجع نمونه", "mobile": persian})
    assert case.dashed in phone.next()

    # The case says that it came over the counter; who filed it for whom is the office's to know, not the case's.
    inspector = town.assigned(case)
    read = inspector.read(case.view()["case_id"])
    assert (read["channel"], read["anonymous"]) == ("counter", False)
    for secret in ("مراجع نمونه", phone.mobile[3:]):
        assert secret not in str(read)
    opened = town.opens(read["case_id"], "برای دعوت به جلسه")
    assert good(opened)["identity"] == {"name": "مراجع نمونه", "national_id": None, "mobile": phone.mobile}

    # At home they answer the inspector with the code alone, and by SMS they learn how it stands.
    inspector.do(read["case_id"], "citizen-questions", text="چه روزی مراجعه کردید؟")
    assert case.dashed in phone.next()
    good(case.holder.post("/v1/tracking/answers", {"text": "دوم شهریور."}))
    phone.text(case.code)
    assert "بازرسی شهرداری قزوین" in phone.next()


def test_a_caller_on_the_phone_reports_anonymously_or_criticises_in_english(town: Town) -> None:
    operator = town.officer("operator")
    report: JSON = {
        "kind": "information",
        "unit": "dep.civ.roads",
        "ground": "waste",
        "channel": "phone",
        "desk_consent": CONSENT,
    }
    case = town.file(operator.caller, **report, text="مصالح شهر شبانه برده می‌شود.")
    inspector = town.assigned(case)
    read = inspector.read(case.view()["case_id"])
    assert (read["channel"], read["anonymous"]) == ("phone", True)
    texts = len(town.all_texts())

    phone = town.phone()
    criticism: JSON = {"kind": "criticism", "unit": "org.waste", "ground": "weak", "channel": "phone", "language": "en"}
    criticism["desk_consent"] = CONSENT_TO_SMS
    spoken = town.file(
        operator.caller,
        **criticism,
        text="The bins of our street are emptied too rarely.",
        anonymous=False,
        identity={"name": "A caller", "mobile": phone.mobile},
    )
    assert spoken.dashed in phone.next()
    assert len(town.all_texts()) == texts + 1  # of the report nobody was told by SMS
    assert town.officer("screener").read(spoken.view()["case_id"])["language"] == "en"


@pytest.mark.parametrize("language", ["fa", "en"])
def test_errors_at_the_counter_are_reported_by_field(town: Town, language: str) -> None:
    operator = town.officer("operator")
    counter = town.caller(language, token=operator.caller.token)
    named = {"name": "مراجع نمونه"}

    def file(**change: object) -> dict[str, str]:
        answer = counter.post("/v1/submissions", {**COMPLAINT, "consent": True, "identity": named, **change})
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-language"] == language
        return fields(answer)

    assert file(channel="web") == {"channel": "literal_error"}
    assert file(desk_consent=None) == {"desk_consent": "citizen_consent_missing"}
    assert file(identity=None) == {"identity.name": "missing"}
    assert file(anonymous=True) == {"anonymous": "not_for_complaints"}
    assert file(identity={**named, "mobile": "021-3344"}) == {"identity.mobile": "not_a_mobile"}
    assert file(identity={**named, "national_id": "1234567890"}) == {"identity.national_id": "not_a_national_id"}
    assert list(file(consent=False)) == ["consent"]

    # Nobody else files for others, and a citizen does not say whose mobile it is.
    elsewhere = town.officer("screener").caller.post("/v1/submissions", {**COMPLAINT, "consent": True})
    refused(elsewhere, 403, "not_allowed")
    citizen, _ = town.sign_in(town.phone(), language)
    own = citizen.post("/v1/submissions", {**COMPLAINT, "consent": True, "identity": named})
    assert fields(own) == dict.fromkeys(("channel", "desk_consent"), "only_for_operators")
    other = {**named, "mobile": "09121234567"}
    about = {name: value for name, value in COMPLAINT.items() if name not in ("channel", "desk_consent")}
    own = citizen.post("/v1/submissions", {**about, "consent": True, "identity": other})
    assert fields(own) == {"identity.mobile": "only_for_operators"}


def test_an_operator_sees_no_cases(town: Town) -> None:
    operator = town.officer("operator")
    case = town.file(operator.caller, **COMPLAINT, identity={"name": "مراجع نمونه"})
    case_id = case.view()["case_id"]
    for path in ("/v1/cases", f"/v1/cases/{case_id}", "/v1/unit-questions", "/v1/recommendations", "/v1/rooms"):
        refused(operator.caller.get(path), 403, "not_allowed")
    for command in ("screening", "notes", "assignment", "decision"):
        body = {"text": "یادداشت"} if command == "notes" else {}
        if command == "decision":
            body = {"outcome": "not_upheld", "reasons": "دلیلی یافت نشد."}
        refused(operator.caller.post(f"/v1/cases/{case_id}/{command}", body, version=1), 403, "not_allowed")
    assert case.view()["stage"] == "registered"
