"""Answers by SMS as people write them: in words, with two codes, after the case was closed, beside an empty text. Two decisions
open at once: test_story.py. Each test is the smallest input of a fault that the office met (tests/README.md)."""

from __future__ import annotations

import secrets

import httpx
import pytest

from deploy.demo.phones import Phone
from tests.e2e.day_parts import weeks_pass
from tests.e2e.people import UNIT, Caller, Case, Town
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(240)


def decided(town: Town) -> tuple[Case, Phone, Caller]:
    """A complaint whose citizen was told the decision by SMS."""
    case, phone, citizen = town.complaint()
    decide(town, case)
    assert "غیروارد" in phone.next()
    return case, phone, citizen


def decide(town: Town, case: Case) -> None:
    inspector = town.assigned(case)
    inspector.do(str(case.view()["case_id"]), "decision", outcome="not_upheld", reasons="دلیلی یافت نشد.")


@pytest.mark.parametrize(
    ("text", "stage", "score"),
    [("از نتیجه راضی هستم", "decided", 5), ("اعتراض دارم", "review", None), ("eteraz daram", "review", None)],
)
def test_an_answer_in_words_is_understood(town: Town, text: str, stage: str, score: int | None) -> None:
    case, phone, _ = decided(town)
    phone.text(text)
    assert case.code[-4:] in phone.next()

    def takes_effect() -> bool:
        view = case.view()
        assert (view["stage"], view["score"]) == (stage, score)
        return True

    eventually(takes_effect)


def test_two_codes_in_one_text_are_both_answered(town: Town) -> None:
    first, phone, citizen = decided(town)
    about = {"kind": "complaint", "unit": UNIT, "ground": "delay", "text": "چراغ کوچه ما ماه‌هاست خاموش است."}
    second = town.file(citizen, **about, identity={"name": "شاکی نمونه"})
    assert second.dashed in phone.next()
    second.view()
    phone.text(f"{first.code} {second.code}")
    answers = [phone.next(), phone.next()]
    for case, words in ((first, "نتیجه رسیدگی: غیروارد"), (second, "مرحله: ثبت شد")):
        assert [words in answer for answer in answers if case.code[-4:] in answer] == [True], answers

    decide(town, second)
    assert second.dashed in phone.next()
    phone.text(f"1 {first.code} 2 {second.code}")
    eventually(lambda: first.view()["score"] == 5 and second.view()["stage"] == "review")
    assert first.view()["stage"] == "decided"


def test_a_rating_by_sms_after_the_case_is_closed_is_recorded(town: Town) -> None:
    case, phone, _ = decided(town)
    weeks_pass(town, str(case.view()["case_id"]), 4)
    case.view_at("closed")
    phone.text("1")
    assert "ثبت شد" in phone.next()
    eventually(lambda: case.view()["score"] == 5)


def test_an_empty_text_in_a_batch_loses_no_other(town: Town) -> None:
    case, phone, _ = town.complaint()
    case.view()
    sender, number = "0" + phone.mobile[3:], 10**12 + secrets.randbelow(10**12)
    batch = [
        {"from": sender, "message": text, "messageid": str(number + place)}
        for place, text in enumerate(("", case.code))
    ]
    url = town.system.values["SMS_WEBHOOK_URL_INBOUND"]
    assert httpx.post(url, json=batch, trust_env=False).is_success
    answers = [phone.next(), phone.next()]
    assert any(f"کد منتهی به {case.code[-4:]}" in answer for answer in answers), answers
    assert any("کد رهگیری ۱۶ رقمی خود را" in answer for answer in answers), "the help that an empty text gets"
