"""A case is referred to a competent body outside: sealed, on the record, and read by that body alone."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyrage
import pytest

from backbone.persian import jalali
from contracts.base import now
from deploy.demo import evidence
from tests.e2e.people import Officer, Town, good
from tests.e2e.test_configuration import Administrator
from tests.support.papers import plain, read
from tests.support.processes import ROOT, eventually

NAME, REASON = "سازمان بازرسی کل استان", "رسیدگی به آن در صلاحیت آن سازمان است."
THEIRS = pyrage.x25519.Identity.generate()


@pytest.fixture(scope="module")
def body(town: Town) -> str:
    """A body outside with a key, as the administrator enters it."""
    administrator, code = Administrator(town), f"body_{uuid.uuid4().hex[:8]}"
    names = {"name_fa": NAME, "name_en": "The Inspection"}
    cut = administrator.put(f"outside-bodies/{code}", {**names, "age_key": str(THEIRS.to_public())[:-1]})
    assert (cut.status_code, cut.json()["errors"][0]["reason"]) == (422, "not_an_age_key")
    good(administrator.put(f"outside-bodies/{code}", {**names, "age_key": str(THEIRS.to_public())}))

    def offered() -> bool:
        return code in [line["code"] for line in good(town.officer("head").caller.get("/v1/lists"))["outside_bodies"]]

    eventually(offered)
    return code


def refers(officer: Officer, case_id: str, body: str, key: str | None = None, **more: Any) -> httpx.Response:
    sent = {"body": body, "reason": REASON, **more}
    return officer.caller.post(f"/v1/cases/{case_id}/referrals", sent, key=key)


def until_known(officer: Officer, case_id: str, body: str, **more: Any) -> httpx.Response:
    """The referral, once tracking knows the body."""

    def known() -> httpx.Response | None:
        answer = refers(officer, case_id, body, **more)
        unknown = answer.status_code == 422 and answer.json()["errors"][0]["reason"] == "unknown_code"
        return None if unknown else answer

    answer = eventually(known)
    assert answer is not None
    return answer


def opened(answer: httpx.Response) -> zipfile.ZipFile:
    assert answer.status_code == 201, answer.text
    return zipfile.ZipFile(io.BytesIO(pyrage.decrypt(answer.content, [THEIRS])))


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_report_of_corruption_goes_sealed_to_the_body_and_comes_back_answered(
    town: Town, body: str, tmp_path: Path
) -> None:
    case = town.report(uploads=[town.caller().upload(evidence.photo())])
    case_id, head = str(case.view()["case_id"]), town.officer("head")
    eventually(lambda: case.view()["attachments"][0]["state"] == "accepted", timeout=60)
    media_id = case.view()["attachments"][0]["media_id"]
    assert refused(until_known(head, case_id, body)) == (409, "wrong_stage")  # nobody has read it yet
    town.officer("screener").do(case_id, "screening")
    assert refused(refers(town.officer("inspector"), case_id, body)) == (404, "unknown_case")  # it is not theirs
    for other in ("screener", "analyst", "liaison", "custodian"):
        assert refers(town.officer(other), case_id, body).status_code == 403, other
    assert refers(head, case_id, "nobody_knows").json()["errors"][0]["reason"] == "unknown_code"
    assert refers(head, case_id, body, identity=True).json()["errors"][0]["reason"] == "anonymous_case"
    assert refused(refers(head, case_id, body, attachments=["x" * 32])) == (422, "unknown_upload")
    assert good(head.caller.get(f"/v1/cases/{case_id}/referrals"))["items"] == []

    key = uuid.uuid4().hex
    answer = refers(head, case_id, body, key=key)
    package = opened(answer)
    assert (
        package.read("evidence/evidence-1.jpg")
        == head.caller.get(f"/v1/cases/{case_id}/attachments/{media_id}").content
    )
    assert plain(NAME) in plain(read(package.read("letter.pdf")).text)
    assert json.loads(package.read("case.json"))["case"]["number"] == head.read(case_id)["number"]
    everything = b"".join(package.read(name) for name in package.namelist())
    assert case.code.encode() not in everything
    file = tmp_path / "referral.zip"
    file.write_bytes(pyrage.decrypt(answer.content, [THEIRS]))
    public = good(town.caller().get("/v1/receipts/key"))["public_key"]
    script = [sys.executable, str(ROOT / "docs/verify_referral.py"), public, str(file)]
    assert subprocess.run(script, capture_output=True, text=True, check=True).stdout.startswith("Genuine")

    # Lost on its way: made again under the same key, in the same line of the register.
    again = refers(head, case_id, body, key=key)
    assert opened(again).read("case.json")
    assert again.headers["referral-id"] == answer.headers["referral-id"]
    [line] = good(head.caller.get(f"/v1/cases/{case_id}/referrals"))["items"]
    assert [package["size"] for package in line["packages"]] == [len(answer.content), len(again.content)]
    assert (line["body_name_fa"], line["identity"], line["made_by"]) == (NAME, False, head.staff_id)
    assert [entry["entry"] for entry in head.read(case_id)["timeline"]].count("referred") == 1
    assert case.view()["timeline"][-1]["body_fa"] == NAME

    path = f"/v1/referrals/{line['referral_id']}/answers"
    answered = {
        "answered_on": jalali.today(now()).isoformat(),
        "outcome": "accepted",
        "text": "پذیرفته شد.",
        "number": "۸۸۱",
    }
    assert refused(town.officer("inspector").caller.post(path, answered)) == (404, "not_found")
    assert refused(town.officer("screener").caller.post(path, answered)) == (403, "not_allowed")
    assert refused(head.caller.post(path, {**answered, "answered_on": "2020-01-01"})) == (422, "invalid_field")
    [noted] = good(head.caller.post(path, answered), 201)["answers"]
    assert (noted["text"], noted["recorded_by"]) == ("پذیرفته شد.", head.staff_id)
    waiting = good(head.caller.get("/v1/referrals", outside_body=body, answered=False))["items"]
    assert line["referral_id"] not in [item["referral_id"] for item in waiting]
    assert "referral_answered" not in [entry["entry"] for entry in case.view()["timeline"]]
    with psycopg.connect(town.system.database_url("tracking").replace("+psycopg", "")) as database:
        query = (
            "SELECT command FROM audit_waiting WHERE %s = ANY (subjects)"
            " UNION ALL SELECT command FROM audit WHERE %s = ANY (subjects)"
        )
        noted_commands = {command for (command,) in database.execute(query, [case_id, case_id])}
    assert {"prepare_referral", "record_referral"} <= noted_commands


def test_the_identity_goes_with_a_complaint_only_when_a_custodian_consents(town: Town, body: str) -> None:
    case, phone, _ = town.complaint()
    case_id, head = str(case.view()["case_id"]), town.officer("head")
    inspector = town.assigned(case)
    assert refused(until_known(head, case_id, body)) == (409, "wrong_stage")  # it is not decided so
    inspector.do(case_id, "proposal", outcome="referred", reasons="در صلاحیت دادستانی است.")
    head.do(case_id, "approval")
    assert refused(refers(head, case_id, body, identity=True)) == (403, "consent_needed")
    assert phone.mobile not in str(opened(refers(head, case_id, body)).namelist())
    town.allowed(case_id, "برای ارجاع به مرجع صالح")
    package = opened(refers(head, case_id, body, identity=True))
    assert json.loads(package.read("identity.json"))["identity"] == {
        "name": "شاکی نمونه",
        "national_id": None,
        "mobile": phone.mobile,
    }
    without = [name for name in package.namelist() if name != "identity.json"]
    assert not [name for name in without if phone.mobile.encode() in package.read(name)]
    [first, second] = good(head.caller.get(f"/v1/cases/{case_id}/referrals"))["items"]
    assert (first["identity"], second["identity"]) == (True, False)
    assert first["consented_by"] == town.officer("custodian").staff_id
