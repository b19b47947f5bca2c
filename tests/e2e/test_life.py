"""Other ends of a case, and what must hold when nothing behind the broker stands."""

from __future__ import annotations

import os
import uuid

import pytest

from tests.e2e.day_parts import await_message, shown
from tests.e2e.people import JSON, Case, Town, good
from tests.support.processes import eventually, run_module


def test_a_refusal_gives_its_reason_and_the_responsible_office(town: Town) -> None:
    case, phone, _ = town.complaint(text="آب خانه ما از دیروز قطع است و کسی پاسخ نمی‌دهد.")
    case_id = case.view()["case_id"]
    screener = town.officer("screener")
    screener.do(case_id, "screening")
    screener.do(
        case_id,
        "refusal",
        reason="outside_remit",
        explanation="قطع آب با شرکت آب و فاضلاب است.",
        address="شرکت آب و فاضلاب، تلفن ۱۲۲",
    )
    view = case.view_at("refused")
    assert view["stage_text"] == "قابل رسیدگی نیست"
    assert view["refusal_text"] == "موضوع در صلاحیت شهرداری نیست"
    assert view["refusal_explanation"] == "قطع آب با شرکت آب و فاضلاب است."
    assert view["refusal_address"] == "شرکت آب و فاضلاب، تلفن ۱۲۲"
    assert phone.next() == (
        f"شکایت شما پذیرفته نشد: موضوع در صلاحیت شهرداری نیست.\n{case.dashed}\nبازرسی شهرداری قزوین"
    )
    eventually(lambda: case.inbox()[-1] == "شکایت شما پذیرفته نشد: موضوع در صلاحیت شهرداری نیست.")


def test_a_citizen_withdraws(town: Town) -> None:
    case, phone, citizen = town.complaint()
    case_id = case.view()["case_id"]
    withdrawn = good(citizen.post(f"/v1/me/cases/{case_id}/withdrawal", {"reason": "کارم انجام شد."}))
    assert withdrawn["stage"] == "withdrawn"
    assert withdrawn["can"] == []
    assert case.view_at("withdrawn")["stage_text"] == "پس گرفته شد"
    assert phone.next() == (f"بنا به درخواست شما، رسیدگی به شکایت شما پایان یافت.\n{case.dashed}\nبازرسی شهرداری قزوین")
    again = case.holder.post("/v1/tracking/withdrawal", {})
    assert again.status_code == 409


def test_a_duplicate_is_merged_and_its_citizen_notified(town: Town) -> None:
    first, _, _ = town.complaint()
    second, phone, _ = town.complaint()
    screener = town.officer("screener")
    second_id, first_id = second.view()["case_id"], first.view()["case_id"]
    screener.do(second_id, "screening")
    screener.do(second_id, "merge", into=first_id)
    assert second.view_at("merged")["stage_text"] == "به پرونده مشابه پیوست"
    assert phone.next() == (
        f"شکایت شما به پرونده‌ای با همین موضوع پیوست و همراه آن رسیدگی می‌شود.\n{second.dashed}\nبازرسی شهرداری قزوین"
    )


def test_citizens_of_merged_cases_get_the_decision_once_and_nothing_about_each_other(town: Town) -> None:
    word = f"سیمرغ{uuid.uuid4().hex[:6]}"
    goes_on, _, _ = town.complaint(text=f"پرونده من در {word} مانده است.")
    merged = [town.complaint() for _ in range(3)]
    ids = [str(case.view()["case_id"]) for case, _, _ in merged]
    screener = town.officer("screener")
    # A chain: the second into the first, the first into the case that goes on, and so the third.
    for merged_id, into in ((ids[1], ids[0]), (ids[0], goes_on.view()["case_id"]), (ids[2], goes_on.view()["case_id"])):
        screener.do(merged_id, "screening")
        screener.do(merged_id, "merge", into=into)
    for _, phone, _ in merged:
        phone.next()  # that it was merged
    inspector = town.assigned(goes_on)
    reasons = f"{word} نامه را گم کرده است."
    inspector.do(goes_on.view()["case_id"], "decision", outcome="upheld", reasons=reasons, root_causes=["process"])

    for case, phone, citizen in merged:
        text = phone.next()
        assert text == f"نتیجه پرونده‌ای که شکایت شما به آن پیوسته است: وارد\n{case.dashed}\nبازرسی شهرداری قزوین"
        view = knows_the_outcome(case)
        assert view["joined"]["outcome_text"] == "وارد"
        assert [entry["outcome_text"] for entry in view["timeline"] if entry["entry"] == "joined_decided"] == ["وارد"]
        assert case.inbox()[-1] == "پرونده‌ای که شکایت شما همراه آن رسیدگی شد به نتیجه رسید: وارد."
        english = good(town.caller("en", code=case.code).get("/v1/tracking"))
        assert english["joined"]["outcome_text"] == "Upheld"
        for text_shown in (str(view), str(case.inbox()), text):
            assert word not in text_shown
        assert citizen.post(f"/v1/me/cases/{view['case_id']}/objection", {"text": "نه"}).status_code == 409
    texts = town.all_texts()
    for case, _, _ in merged:
        assert len([text for text in texts if case.dashed in text and "پیوسته است" in text]) == 1


def test_citizens_merged_into_a_case_without_decision_are_notified_of_their_own_state(town: Town) -> None:
    screener = town.officer("screener")
    mains = [town.complaint() for _ in range(2)]
    withdrawn, refused = (str(case.view()["case_id"]) for case, _, _ in mains)
    merged = []
    screener.do(refused, "screening")
    for into in (withdrawn, refused):
        case, phone, _ = town.complaint()
        screener.do(case.view()["case_id"], "screening")
        screener.do(case.view()["case_id"], "merge", into=into)
        phone.next()
        merged.append((case, phone))
    (freed, freed_phone), (ended, ended_phone) = merged

    good(mains[0][2].post(f"/v1/me/cases/{withdrawn}/withdrawal", {"reason": "کارم انجام شد."}))
    text = "پرونده‌ای که شکایت شما به آن پیوسته بود بی‌نتیجه ماند. کار شما جداگانه رسیدگی می‌شود."
    assert freed_phone.next() == f"{text}\n{freed.dashed}\nبازرسی شهرداری قزوین"
    view = freed.view_at("screening")
    assert (view["timeline"][-1]["entry"], view["can"]) == ("reopened", ["withdraw"])
    eventually(lambda: freed.inbox()[-1] == text)
    number = shown(screener.read(view["case_id"])["number"])
    reopened_text = (
        f"پرونده‌ای که پرونده {number} به آن پیوسته بود بی‌نتیجه پایان یافت؛ {number} دوباره در انتظار غربالگری است."
    )
    await_message(screener, reopened_text)

    screener.do(refused, "refusal", reason="outside_remit", explanation="به دیگری نوشته شد.", address="آب و فاضلاب")
    text = "پرونده‌ای که شکایت شما به آن پیوسته است پذیرفته نشد: موضوع در صلاحیت شهرداری نیست"
    assert ended_phone.next() == f"{text}.\n{ended.dashed}\nبازرسی شهرداری قزوین"

    def knows() -> JSON:
        view = ended.view()
        assert view["joined_refusal"]
        return view

    view = eventually(knows)
    assert view["joined_refusal"]["refusal_text"] == "موضوع در صلاحیت شهرداری نیست"
    assert view["joined_refusal"]["refusal_address"] == "آب و فاضلاب"
    assert "به دیگری" not in str(view)
    assert view["stage"] == "merged"


def knows_the_outcome(case: Case) -> JSON:
    """What the code of a merged case shows once it was told."""

    def outcome_view() -> JSON:
        view = case.view()
        assert view["joined"]
        return view

    return eventually(outcome_view)


def test_a_stale_command_is_refused_and_a_repeated_one_has_its_effect_once(town: Town) -> None:
    case = town.report()
    case_id = case.view()["case_id"]
    screener = town.officer("screener")
    version = screener.read(case_id)["version"]
    screener.do(case_id, "screening")
    stale = screener.caller.post(f"/v1/cases/{case_id}/corrections", {"urgent": True}, version=version)
    assert stale.status_code == 412
    assert stale.json()["code"] == "stale_version"
    seen = screener.read(case_id)["version"]
    for _ in range(3):
        path, key = f"/v1/cases/{case_id}/corrections", f"urgent-{case_id}"
        good(screener.caller.post(path, {"urgent": True}, key=key, version=seen))
    entries = [entry["entry"] for entry in screener.read(case_id)["timeline"]]
    assert entries.count("corrected") == 1


def test_a_repeated_submission_gets_the_same_code_and_is_one_case(town: Town) -> None:
    body = {
        "kind": "information",
        "unit": "dep.civ.roads",
        "ground": "waste",
        "text": "یک گزارش دو بار رسیده.",
        "consent": True,
    }
    answers = [good(town.caller().post("/v1/submissions", body, key="the-same-key-2210"), 201) for _ in range(3)]
    assert len({answer["tracking_code"] for answer in answers}) == 1
    other = good(
        town.caller().post("/v1/submissions", {**body, "text": "گزارشی دیگر است."}, key="the-same-key-2210"), 201
    )
    assert other["tracking_code"] != answers[0]["tracking_code"]
    code = answers[0]["tracking_code"].replace(" ", "")
    case = Case(code, town.caller(code=code), answers[0]["submission_id"], answers[0])
    assert [entry["entry"] for entry in case.view()["timeline"]] == ["opened"]


def test_submissions_are_accepted_with_every_service_stopped_and_appear_when_they_return(town: Town) -> None:
    services = [town.system.process(name) for name in ("intake", "media", "tracking", "notify", "accounts", "insight")]
    phone = town.phone()
    citizen, _ = town.sign_in(phone)
    for service in services:
        service.stop(12)
    try:
        complaint = town.file(
            citizen,
            kind="complaint",
            unit="dep.civ.roads",
            ground="weak",
            text="آسفالت کوچه ما فرو رفته است.",
            identity={"name": "شاکی نمونه"},
        )
        reports = [town.report(text=f"گزارش شماره {number} با سرویس‌های خاموش") for number in range(5)]
        answer = complaint.holder.get("/v1/tracking")
        assert answer.status_code in (200, 503, 504), answer.text
    finally:
        for service in services:
            service.start()
        for service in services:
            service.await_ready()
    for case in (complaint, *reports):
        assert case.view()["stage"] == "registered"
    assert complaint.dashed in phone.next(wait=90)


@pytest.mark.timeout(240)
def test_the_demo_plays_twice(town: Town) -> None:
    for _ in range(2):
        addresses = ("--url", town.system.gateway_url, "--simulator", town.system.simulator_url)
        credentials = ("--credentials", str(town.system.state / "credentials.json"))
        done = run_module("deploy.demo", *addresses, *credentials, environment=os.environ)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        assert "steps went as they should" in done.stdout
        assert "GPS in its EXIF: no" in done.stdout


def test_the_demo_names_in_one_sentence_what_is_missing(town: Town) -> None:
    nowhere = ("--url", "http://127.0.0.1:9", "--credentials")
    for credentials, word in ((town.system.state / "credentials.json", "./peygir up"), ("/nowhere", "./peygir seed")):
        done = run_module("deploy.demo", *nowhere, str(credentials), environment=os.environ)
        assert done.returncode == 1
        assert word in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_every_timeline_chain_holds_and_no_message_was_abandoned(town: Town) -> None:
    """After whatever the other tests have done."""
    for module, sentence in (
        ("deploy.verify_history", "every chain holds"),
        ("backbone.messaging.dead_letters list", "0 dead letters"),
    ):
        done = run_module(*module.split(), environment={**os.environ, **town.system.values})
        assert done.returncode == 0, done.stdout + done.stderr
        assert sentence in done.stdout + done.stderr
