"""The main job from end to end, in both languages and for each kind, with every word that reaches the citizen.

The expected words are written out here, not taken from the product's own texts; dates are counted here, too.
"""

from __future__ import annotations

import re
from datetime import date

import jdatetime
import pytest

from deploy.demo import evidence
from deploy.demo.phones import Phone
from tests.e2e.people import UNIT, Case, Town, good
from tests.support.processes import eventually

QUESTION = {"fa": "نخستین بار چه روزی مراجعه کردید؟", "en": "On which day did you first come?"}
ANSWER = {"fa": "دوم شهریور.", "en": "On 24 August."}
REASONS = {"fa": "پرونده هشتاد روز بی‌اقدام مانده است.", "en": "The file lay untouched for eighty days."}
OBJECTION = {"fa": "به مدرک دوم من توجه نشد.", "en": "My second document was overlooked."}

OFFICE = {"fa": "بازرسی شهرداری قزوین", "en": "Qazvin Municipality Inspection"}
KIND = {
    "complaint": {"fa": "شکایت", "en": "complaint"},
    "criticism": {"fa": "انتقاد", "en": "criticism"},
    "information": {"fa": "درخواست", "en": "submission"},  # the phone may lie on the desk of the one reported
}
KIND_ON_PAGE = {
    "complaint": {"fa": "شکایت", "en": "Complaint"},
    "criticism": {"fa": "انتقاد", "en": "Criticism"},
    "information": {"fa": "گزارش تخلف", "en": "Report of wrongdoing"},
}
UNIT_NAME = {"fa": "اداره صدور پروانه و گواهی‌های ساختمانی", "en": "Building Permits Office"}
DAYS = {"complaint": 15, "criticism": 15, "information": 30}


def numeric(day: date, language: str) -> str:
    """As in messages: the Jalali day in the language's digits."""
    text = str(jdatetime.date.fromgregorian(date=day).strftime("%Y/%m/%d"))
    return text.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")) if language == "fa" else text


def in_words(day: date, language: str) -> str:
    """As on the code's page: ۲۴ آذر ۱۴۰۵ or 15 December 2026."""
    if language == "en":
        return f"{day.day} {day:%B %Y}"
    months = ["فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"]
    jalali = jdatetime.date.fromgregorian(date=day)
    text = f"{jalali.day} {months[jalali.month - 1]} {jalali.year}"
    return text.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))


def file(town: Town, kind: str, language: str) -> tuple[Case, list[str], Phone | None]:
    """A submission of this kind; the texts its phone has received so far, and the phone (none for a report)."""
    if kind == "information":
        photo = town.caller().upload(evidence.photo())
        case = town.file(
            town.caller(language), kind=kind, unit=UNIT, ground="waste", text="مصالح شهر فروخته می‌شود.", uploads=[photo]
        )
        return case, [], None
    phone = town.phone()
    citizen, otp_text = town.sign_in(phone, language)
    case = town.file(
        citizen,
        kind=kind,
        unit=UNIT,
        ground="delay",
        text="پرونده من سه ماه مانده است.",
        identity={"name": "شاکی نمونه"},
        anonymous=False,
    )
    return case, [otp_text], phone


def otp_words(text: str, language: str) -> str:
    code = re.search(r"\d{6}", text)
    assert code
    if language == "fa":
        return f"کد ورود به پیگیر: {code.group()}\nتا ۵ دقیقه معتبر است؛ لطفاً به کسی نگویید."
    return f"Your Peygir sign-in code: {code.group()}\nIt is valid for 5 minutes. Please tell it to no one."


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("kind", ["complaint", "criticism", "information"])
def test_a_submission_is_decided_and_every_message_reaches_its_citizen(town: Town, kind: str, language: str) -> None:
    fa = language == "fa"
    word, office = KIND[kind][language], OFFICE[language]
    due = town.working_day(DAYS[kind])
    case, texts, phone = file(town, kind, language)
    expected_sms = [otp_words(texts[0], language)] if texts else []
    expected_inbox: list[str] = []

    # It is registered.
    view = case.view()
    assert view["kind_text"] == KIND_ON_PAGE[kind][language]
    assert view["unit_name"] == UNIT_NAME[language]
    assert view["stage_text"] == ("ثبت شد" if fa else "Registered")
    assert view["expected_text"] == in_words(due, language)
    expected_sms.append(
        f"{word} شما ثبت شد. کد رهگیری:\n{case.dashed}\nنتیجه تا {numeric(due, language)}\n{office}"
        if fa
        else f"Your {word} is registered. Tracking code:\n{case.dashed}\n"
        f"Result expected by {numeric(due, language)}\n{office}"
    )
    expected_inbox.append(
        f"{word} شما ثبت شد و در نوبت بررسی است. نتیجه تا {numeric(due, language)} اعلام می‌شود."
        if fa
        else f"Your {word} is registered and waits for its first reading. "
        f"The result is expected by {numeric(due, language)}."
    )
    hear(phone, texts)
    case.await_inbox(expected_inbox)

    # It is screened, assigned, and the citizen is asked.
    inspector = town.assigned(case)
    assert case.view_at("investigating")["stage_text"] == ("در دست بازرس" if fa else "Being investigated")
    inspector.do(view["case_id"], "citizen-questions", text=QUESTION[language])
    question_view = case.view_at("awaiting_citizen")
    assert question_view["stage_text"] == ("در انتظار پاسخ شما" if fa else "Waiting for your answer")
    assert question_view["question"]["text"] == QUESTION[language]
    assert question_view["expected_on"] is None
    expected_sms.append(
        f"برای ادامه رسیدگی به پاسخ شما نیاز داریم. لطفاً با این کد در سامانه پیگیر پاسخ دهید:\n{case.dashed}\n{office}"
        if fa
        else f"We need your answer to go on with your case. Please answer on the Peygir site with this code:\n"
        f"{case.dashed}\n{office}"
    )
    expected_inbox.append(
        "بازرس پرسشی از شما دارد. تا رسیدن پاسخ شما، مهلت رسیدگی متوقف است."
        if fa
        else "The inspector has a question for you. The clock of your case is stopped until you answer."
    )
    hear(phone, texts)
    answered = good(case.holder.post("/v1/tracking/answers", {"text": ANSWER[language]}))
    assert answered["stage"] == "investigating"
    assert answered["expected_text"] == in_words(due, language)

    # The unit is asked, and answers; the citizen reads that it was, not what it said.
    asked_unit = inspector.do(view["case_id"], "unit-questions", text="علت تأخیر چیست؟")
    assert case.view_at("awaiting_unit")["stage_text"] == (
        "در انتظار پاسخ واحد" if fa else "Waiting for the unit's answer"
    )
    question_id = next(question["question_id"] for question in asked_unit["questions"] if question["unit"])
    liaison = town.officer("liaison")
    good(liaison.caller.post(f"/v1/unit-questions/{question_id}/answer", {"text": "در بایگانی مانده بود."}))

    # It is decided; the citizen objects.
    inspector.do(
        view["case_id"], "decision", outcome="partly_upheld", reasons=REASONS[language], root_causes=["process"]
    )
    decided = case.view_at("decided")
    object_until = town.working_day(10)
    assert decided["stage_text"] == ("نتیجه اعلام شد" if fa else "Decided")
    assert decided["decision"]["outcome_text"] == ("وارد جزئی" if fa else "Partly upheld")
    assert decided["decision"]["reasons"] == REASONS[language]
    assert decided["decision"]["objection_until_text"] == in_words(object_until, language)
    outcome = "وارد جزئی" if fa else "Partly upheld"
    expected_sms.append(
        f"نتیجه رسیدگی به {word} شما: {outcome}\n{case.dashed}\nلطفاً پاسخ دهید: 1 راضی، 2 اعتراض\n{office}"
        if fa
        else f"The result of your {word}: {outcome}\n{case.dashed}\nPlease reply: 1 satisfied, 2 object\n{office}"
    )
    expected_inbox.append(
        f"رسیدگی به {word} شما به نتیجه رسید: {outcome}. می‌توانید نظر خود را بگویید یا یک بار اعتراض کنید."
        if fa
        else f"Your {word} has been decided: {outcome}. You may rate it, or object once."
    )
    hear(phone, texts)
    if phone is not None:  # any phone may ask: the code in, the result out
        phone.text(case.code)
        ending = case.code[-4:]
        expected_sms.append(
            f"نتیجه رسیدگی: {outcome}\nکد منتهی به {ending}\n{office}"
            if fa
            else f"Result: {outcome}\nCode ending in {ending}\n{office}"
        )
        hear(phone, texts)
    objected = good(case.holder.post("/v1/tracking/objection", {"text": OBJECTION[language]}))
    assert objected["stage_text"] == ("در حال بازنگری اعتراض" if fa else "Objection being reviewed")
    expected_sms.append(
        f"اعتراض شما ثبت شد و بازرس دیگری آن را بررسی می‌کند.\n{case.dashed}\nنتیجه تا {numeric(due, language)}\n{office}"
        if fa
        else f"Your objection is registered; another inspector will hear it.\n{case.dashed}\n"
        f"Result expected by {numeric(due, language)}\n{office}"
    )
    expected_inbox.append(
        f"اعتراض شما ثبت شد و بازرس دیگری آن را بررسی می‌کند. نتیجه تا {numeric(due, language)} اعلام می‌شود."
        if fa
        else f"Your objection is registered and another inspector will hear it. "
        f"The result is expected by {numeric(due, language)}."
    )
    hear(phone, texts)

    # Another inspector hears it; the result is final, and is rated.
    head, other = town.officer("head"), town.officer("inspector2")
    same = head.caller.post(
        f"/v1/cases/{view['case_id']}/assignment",
        {"inspector": inspector.staff_id},
        version=head.read(view["case_id"])["version"],
    )
    assert same.status_code == 422, same.text
    head.do(view["case_id"], "assignment", inspector=other.staff_id)
    other.do(view["case_id"], "decision", outcome="upheld", reasons=REASONS[language], root_causes=["people"])
    final = case.view_at("decided")
    assert final["decision"]["final"] is True
    assert "object" not in final["can"]
    upheld = "وارد" if fa else "Upheld"
    expected_sms.append(
        f"نتیجه نهایی رسیدگی به {word} شما: {upheld}\n{case.dashed}\n{office}"
        if fa
        else f"The final result of your {word}: {upheld}\n{case.dashed}\n{office}"
    )
    expected_inbox.append(
        f"نتیجه نهایی رسیدگی به {word} شما: {upheld}." if fa else f"The final result of your {word}: {upheld}."
    )
    hear(phone, texts)
    rated = good(case.holder.post("/v1/tracking/rating", {"score": 4, "on_time": False}))
    assert rated["score"] == 4
    expected_inbox.append(
        "از نظر شما سپاسگزاریم. نظر شما ثبت شد و در بهبود خدمات به کار می‌آید."
        if fa
        else "Thank you for your rating. It is recorded and helps us serve better."
    )

    # All of it, word for word and nothing besides.
    case.await_inbox(expected_inbox)
    if phone is None:
        assert not [text for text in town.all_texts() if case.dashed in text or case.code in text]
    else:
        assert texts == expected_sms
    assert [(entry["by"], entry["entry"], entry["text"]) for entry in case.view()["timeline"]] == [
        ("you", "opened", None),
        ("office", "screening_started", None),
        ("office", "assigned", None),
        ("office", "citizen_asked", QUESTION[language]),
        ("you", "citizen_answered", ANSWER[language]),
        ("office", "unit_asked", None),
        ("office", "unit_answered", None),
        ("office", "decided", REASONS[language]),
        ("you", "objected", OBJECTION[language]),
        ("office", "assigned", None),
        ("office", "decided", REASONS[language]),
        ("you", "rated", None),
    ]


def hear(phone: Phone | None, texts: list[str]) -> None:
    """Waits for the next SMS where there is a phone."""
    if phone is not None:
        texts.append(phone.next(wait=90))


@pytest.mark.parametrize(("reply", "entry"), [("۱", "rated"), ("2", "objected")])
def test_a_satisfied_citizen_texts_1_and_a_dissatisfied_one_2(town: Town, reply: str, entry: str) -> None:
    case, phone, _ = town.complaint()
    inspector = town.assigned(case)
    inspector.do(case.view()["case_id"], "decision", outcome="not_upheld", reasons="دلیلی یافت نشد.")
    assert "غیروارد" in phone.next()
    phone.text(reply)
    answered = phone.next()

    def entries() -> list[str]:
        timeline = [item["entry"] for item in case.view()["timeline"]]
        assert entry in timeline
        return timeline

    assert eventually(entries).count(entry) == 1
    if entry == "rated":
        thanks = f"نظر شما درباره کد منتهی به {case.code[-4:]} ثبت شد. سپاسگزاریم؛ نظر شما در بهبود خدمات به کار می‌آید."
        assert answered == f"{thanks}\nبازرسی شهرداری قزوین"
        assert case.view()["score"] == 5
    else:
        assert answered.startswith("اعتراض شما ثبت شد و بازرس دیگری آن را بررسی می‌کند.\n" + case.dashed)
        assert case.view()["stage"] == "review"


def test_a_phone_with_two_decisions_is_asked_for_which_and_each_answer_reaches_its_case(town: Town) -> None:
    first, phone, citizen = town.complaint()
    about = {"kind": "complaint", "unit": UNIT, "ground": "delay", "text": "چراغ کوچه ما ماه‌هاست خاموش است."}
    second = town.file(citizen, **about, identity={"name": "شاکی نمونه"})
    assert second.dashed in phone.next()
    for case in (first, second):
        inspector = town.assigned(case)
        inspector.do(case.view()["case_id"], "decision", outcome="not_upheld", reasons="دلیلی یافت نشد.")
        while case.dashed not in phone.next():
            pass  # of the other case
    for text in ("1", "اعتراض دارم"):
        phone.text(text)
        question_sms = phone.next()
        assert question_sms.startswith("پاسخ شما درباره کدام کد است؟")
        assert first.code[-4:] in question_sms
        assert second.code[-4:] in question_sms
    phone.text(f"راضی هستم {first.code[-4:]}")
    assert f"کد منتهی به {first.code[-4:]} ثبت شد" in phone.next()
    phone.text(f"۲ {second.dashed}")
    assert second.dashed in phone.next()
    assert (first.view()["score"], first.view()["stage"]) == (5, "decided")
    assert second.view_at("review")["score"] is None
    phone.text(f"1 {second.code[-4:]}")  # no decision waits for it now: it is told, not thanked
    assert "پاسخ شما ثبت نشد" in phone.next()
