"""The letter to the citizen and the receipt, as PDF: who gets them, what is on them, and that anybody can check them."""

from __future__ import annotations

import base64
import json
from datetime import date
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from backbone.persian import jalali, normalisation
from contracts.base import now
from contracts.characters import latin_digits
from tests.e2e.hostile_parts import refused
from tests.e2e.people import Caller, Town, good
from tests.support.papers import ReadPdf, read

REASONS = "پرونده ۴۷ روز در اداره مانده و مهلت آن (طبق نامه ADM-77) گذشته است.\nبنابراین شکایت وارد است."
DECISION: dict[str, Any] = {"outcome": "upheld", "reasons": REASONS, "root_causes": ["process"]}


def letter(caller: Caller, path: str, **params: str) -> ReadPdf:
    answer = caller.get(path, **params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="peygir-letter-1')
    return read(answer.content)


def speaking(town: Town, caller: Caller, language: str) -> Caller:
    """The same person in this language."""
    return town.caller(language, caller.token, caller.code)


def nothing_secret(pdf: ReadPdf, *secrets: str) -> None:
    for secret in secrets:
        for form in (secret, normalisation.persian_digits(secret)):
            assert form not in pdf.content
            assert form not in pdf.text.replace(" ", "")
            assert form.encode() not in pdf.raw


def decide(town: Town, case_id: str, **more: Any) -> dict[str, Any]:
    """Proposed by the inspector, approved by the head."""
    town.officer("inspector").do(case_id, "proposal", **{**DECISION, **more})
    return town.officer("head").do(case_id, "approval")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_letter_of_a_decision_reaches_its_citizen_by_code_and_account_and_staff(town: Town, language: str) -> None:
    case, phone, citizen = town.complaint()
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    for caller, path in (
        (case.holder, "/v1/tracking/letter"),
        (citizen, f"/v1/me/cases/{case_id}/letter"),
        (inspector.caller, f"/v1/cases/{case_id}/letter"),
    ):
        refused(speaking(town, caller, language).get(path), 409, "no_letter", language)
    due = town.working_day(20).isoformat()
    decided = decide(town, case_id, recommendations=[{"text": "سامانه نوبت‌دهی را درست کنید.", "due_on": due}])
    number = decided["number"]

    pdf = letter(speaking(town, case.holder, language), "/v1/tracking/letter")
    for caller, path in (
        (inspector.caller, f"/v1/cases/{case_id}/letter"),
        (town.officer("head").caller, f"/v1/cases/{case_id}/letter"),
    ):
        assert letter(speaking(town, caller, language), path).content == pdf.content
    fa = language == "fa"
    # Who signs in reads the own name; nothing else is different, and it is as genuine.
    own = letter(speaking(town, citizen, language), f"/v1/me/cases/{case_id}/letter")
    greeting, named = ("شهروند گرامی،", "شهروند گرامی، شاکی نمونه") if fa else ("Dear citizen,", "Dear شاکی نمونه,")
    assert own.content == pdf.content.replace(greeting, named)
    assert good(town.caller(language).post("/v1/papers/check", {"seal": own.codes[0]}))["genuine"]
    nothing_secret(own, case.code, case.dashed, phone.mobile, phone.mobile[3:], case_id)
    head = dict(json.loads(pdf.content)["facts"])
    year, _, serial = head["شماره دبیرخانه" if fa else "Registry number"].split("/")
    assert latin_digits(year) == str(jalali.year(jalali.today(now())))
    assert 1_000_000 <= int(latin_digits(serial)) <= 9_999_999
    assert ("مدیر بازرسی" if fa else "Head of Inspection") in json.loads(pdf.content)["closing"]
    until = date.fromisoformat(decided["decision"]["objection_until"])
    today = jalali.today(now())
    for expected in (
        (
            normalisation.persian_digits(f"{number}-1"),
            jalali.long(today),
            "شکایت",
            "وارد",
            "اداره صدور پروانه",
            jalali.long(until),
        )
        if fa
        else (f"{number}-1", f"{today:%-d %B %Y}", "Complaint", "Upheld", f"{until:%-d %B %Y}")
    ):
        assert expected in pdf.content, expected
    assert json.dumps(REASONS, ensure_ascii=False)[1:-1] in pdf.content
    # What was recommended is the unit's to read; that it was, and until when, the citizen's too.
    assert "نوبت‌دهی" not in pdf.content
    assert (jalali.long(date.fromisoformat(due)) if fa else f"{date.fromisoformat(due):%-d %B %Y}") in pdf.content
    nothing_secret(pdf, case.code, case.dashed, phone.mobile, phone.mobile[3:], "شاکی نمونه", case_id)

    # The code on it leads to a page that confirms it; so does the published key, without us.
    [address] = pdf.codes
    seal = httpx.URL(address).path.rsplit("/", 1)[1]
    checked = good(town.caller(language).post("/v1/papers/check", {"seal": address}))
    assert checked["genuine"]
    assert checked["letter"]["number"] == f"{number}-1"
    assert checked["letter"]["case_number"] == number
    assert checked["letter"]["outcome_text"] == ("وارد" if fa else "Upheld")
    page = town.http.get(f"/verify/{seal}", headers={"Cookie": f"peygir-language={language}"}).text
    assert ("این نامه درست است" if fa else "This letter is genuine") in page
    assert checked["letter"]["content_hash"] in page
    assert REASONS.split("\n")[1] not in page
    key = good(town.caller().get("/v1/receipts/key"))["public_key"]
    signed_part, _, signature = seal.rpartition("~")
    published = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    published.verify(base64.urlsafe_b64decode(signature + "=="), signed_part.encode())
    forged = signed_part.replace("~upheld~", "~not_upheld~")
    with pytest.raises(InvalidSignature):
        published.verify(base64.urlsafe_b64decode(signature + "=="), forged.encode())
    assert good(town.caller().post("/v1/papers/check", {"seal": f"{forged}~{signature}"}))["genuine"] is False
    assert "درستی این نوشته تأیید نمی‌شود" in town.http.get(f"/verify/{forged}~{signature}").text


def test_nobody_else_reads_a_letter(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    town.assigned(case)
    decide(town, case_id)
    other, _, stranger = town.complaint()
    refused(stranger.get(f"/v1/me/cases/{case_id}/letter"), 404, "unknown_case", "fa")
    refused(other.holder.get("/v1/tracking/letter"), 409, "no_letter", "fa")
    refused(town.caller(code="1234567890123456").get("/v1/tracking/letter"), 404, "unknown_tracking_code", "fa")
    path = f"/v1/cases/{case_id}/letter"
    for officer in ("inspector2", "screener.permits"):  # not theirs; a conflict of interest
        refused(town.officer(officer).caller.get(path), 404, "unknown_case", "fa")
    for officer in ("liaison", "analyst", "operator", "administrator", "custodian"):
        refused(town.officer(officer).caller.get(path), 403, "not_allowed", "fa")
    refused(town.caller().get(path), 401, "not_authenticated", "fa")


def test_after_an_objection_a_second_letter_is_final(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    town.assigned(case)
    number = decide(town, case_id)["number"]
    first = letter(case.holder, "/v1/tracking/letter")
    good(case.holder.post("/v1/tracking/objection", {"text": "به مدرک دوم من توجه نشد."}))
    assert letter(case.holder, "/v1/tracking/letter").content == first.content  # it stands until the final one
    town.officer("head").do(case_id, "assignment", inspector=town.officer("inspector2").staff_id)
    decided_final(town, case_id)
    second = letter(case.holder, "/v1/tracking/letter", lang="en")
    assert f"{number}-2" in second.content
    assert "final at this office" in second.content
    assert "You may object" not in second.content.replace("you may", "You may")
    for letter_read, in_force in ((first, False), (second, True)):  # the earlier one was issued, and stays genuine
        checked = good(town.caller().post("/v1/papers/check", {"seal": letter_read.codes[0]}))
        assert (checked["genuine"], checked["letter"]["in_force"]) == (True, in_force)


def decided_final(town: Town, case_id: str) -> None:
    """By the second inspector; who approved the first decision may not approve this one, so it is decided at once."""
    town.officer("inspector2").do(case_id, "decision", outcome="not_upheld", reasons="مدرک دوم چیزی را تغییر نداد.")


def test_a_refusal_has_a_letter_with_its_reason_and_the_right_address(town: Town) -> None:
    case = town.report()
    case_id = case.view()["case_id"]
    screener = town.officer("screener")
    screener.do(case_id, "screening")
    where = "شرکت آب و فاضلاب قزوین، تلفن 122"
    refusal = {"reason": "outside_remit", "explanation": "این موضوع با شرکت آب است.", "address": where}
    screener.do(case_id, "refusal", **refusal)
    pdf = letter(case.holder, "/v1/tracking/letter")
    for expected in ("عدم پذیرش", "صلاحیت شهرداری", refusal["explanation"], where):
        assert expected in pdf.content
    assert "اعتراض" not in pdf.content
    assert letter(screener.caller, f"/v1/cases/{case_id}/letter").content == pdf.content
    checked = good(town.caller().post("/v1/papers/check", {"seal": pdf.codes[0]}))
    assert (checked["letter"]["outcome"], checked["letter"]["outcome_text"]) == ("refused", "قابل رسیدگی نیست")


def test_the_receipt_of_what_was_filed_is_printed_and_checked(town: Town) -> None:
    case = town.report()
    receipt = case.filed["receipt"]
    answer = town.caller("en").post("/v1/receipts/pdf", receipt)
    assert answer.status_code == 200, answer.text
    pdf = read(answer.content)
    assert case.submission_id in pdf.content
    nothing_secret(pdf, case.code)
    payload = good(town.caller().post("/v1/papers/check", {"seal": pdf.codes[0]}))["receipt"]
    assert payload["submission_id"] == case.submission_id
    assert payload["content_hash"] == json.loads(receipt["payload"])["content_hash"]
    changed = {**receipt, "payload": receipt["payload"].replace("information", "complaint")}
    for language in ("fa", "en"):
        refused(town.caller(language).post("/v1/receipts/pdf", changed), 404, "not_genuine", language)


def test_rendering_uses_no_gateway_memory_afterwards(town: Town) -> None:
    """No rendering process is left, and the gateway goes on answering while one renders."""
    import psutil

    pid = town.system.process("gateway").pid
    assert pid is not None
    receipt = town.report().filed["receipt"]
    for language in ("fa", "en"):
        assert town.caller(language).post("/v1/receipts/pdf", receipt).status_code == 200
    assert psutil.Process(pid).children(recursive=True) == []
