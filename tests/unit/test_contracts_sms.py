"""What may not come into an SMS, in the spellings that people try."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sms import has_hidden_letters, link_in, wrong_in_sms
from contracts.vocabulary import Language
from services.notify.wording.templates import shipped_templates
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES, REFUSAL_NAMES, STAGE_NAMES

LINKS = [
    "evil.xyz",
    "EVIL.XYZ",
    "bit.ly/abc",
    "bit[.]ly",
    "bit(.)ly",
    "bit{.}ly",
    "bit [.] ly",
    "bit[dot]ly",
    "bit (dot) ly",
    "bit dot ly",
    "bit．ly",
    "bit。ly",
    "bit｡ly",
    "bit․ly",
    "bit۔ly",
    "bit .ly",
    "bit . ly",
    "qazvin. ir",
    "ｅｖｉｌ．ｘｙｚ",
    "еvil.хуz",  # with Cyrillic letters
    "ev\u200bil.x\u200cyz",
    "evil\u2060.xyz",
    "evil.x\u0301yz",
    "http://evil",
    "https://evil.xyz/a?b",
    "hxxp://evil",
    "hxxps://evil[.]xyz",
    "http : // evil",
    "http:／／evil",
    "tg://resolve",
    "mailto:a",
    "javascript:alert(1)",
    "www.evil",
    "WWW . evil",
    "192.168.1.10",
    "۱۹۲.۱۶۸.۱.۱۰",
    "192 . 168 . 1 . 10",
    "2001:db8:0:0:1::1",
    "fe80::1",
    "0x7f000001",
    "xn--mgba3a4f16a",
    "evil.xn--p1ai",
    "пример.рф",
    "例え.テスト",
    "evil.museum",
    "evil.photography",
    "evil-site.co.uk",
    "my.qazvin.ir",
    "قزوین.ایران",
    "قزوين.ايران",
    "قزوین دات ای آر",
    "evil دات xyz",
    "evilداتxyz",
    "قزوین نقطه کام",
    "قزوین.com",
    "a@evil.xyz",
    "@evil_account",
    "evil.{kind}",
    "{kind}.xyz",
    "{office}.{kind}",
    "شد.evil",
]
NONE = [
    "نتیجه رسیدگی به شکایت شما: وارد",
    "پرونده شما بسته شد.نتیجه را ببینید.",
    "نتیجه تا ۱۴۰۵/۰۹/۰۲",
    "1405.09.02",
    "ساعت 10:30 تا 12:00",
    "Your complaint is over. Your answer counts.",
    "It is closed. It was not upheld. Me too.",
    "Please reply: 1 satisfied, 2 object",
    "{kind} شما ثبت شد.\n{code}\n{office}",
    "Result: {outcome}. Thank you.",
    "اتاق ۱۲، طبقه ۳ (ساختمان شماره ۲)",
    "Room 12, floor 3, no. 5",
    "بند ۳.۲ آیین‌نامه",
    "به‌روزرسانی",
    "3.5",
    "1/2",
    "خیابان فلسطین - پلاک ۱۲",
    "این نقطه پایان است",
    "A.",
]


@pytest.mark.parametrize("link", LINKS)
def test_a_link_is_found_in_every_spelling(link: str) -> None:
    for text in (link, f"نتیجه: {link}", f"see {link} now", f"({link})", f"{link}\n{{code}}"):
        assert link_in(text) is not None, text


@pytest.mark.parametrize("text", NONE)
def test_text_without_a_link_is_accepted(text: str) -> None:
    assert link_in(text) is None


def test_all_texts_of_the_product_are_accepted() -> None:
    words = [text.text for (channel, _, _), text in shipped_templates().texts.items() if channel == "sms"]
    for names in (KIND_NAMES, OUTCOME_NAMES, REFUSAL_NAMES, STAGE_NAMES):
        words += [texts_by_language[language] for texts_by_language in names.values() for language in Language]
    for word in words:
        assert list(wrong_in_sms(word, lines=True)) == [], word


def test_all_invisible_characters_are_found_but_the_persian_joiner() -> None:
    seen = set("آab 1۱.،؟\u200c\u00a0e\u0301ًّ")
    assert not any(has_hidden_letters(letter) for letter in seen)
    hidden = [
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cf", "Cc", "Zl", "Zp", "Cs")
    ]
    assert all(has_hidden_letters(letter) for letter in hidden if letter != "\u200c")
    assert has_hidden_letters("\n")
    assert not has_hidden_letters("\n", lines=True)


@given(
    host=st.from_regex(r"[a-z][a-z0-9-]{1,20}[a-z0-9]", fullmatch=True),
    end=st.sampled_from(["ir", "com", "xyz", "ly", "top", "click", "museum", "online", "zip"]),
    dot=st.sampled_from(
        [".", "．", "。", "․", "[.]", "(.)", " (dot) ", "[dot]", "\u200b.", ".\u200b", "\u2060.\u2060"]
    ),
    wide=st.booleans(),
    before=st.sampled_from(["", "نتیجه ", "("]),
)
def test_any_host_with_any_dot_is_found(host: str, end: str, dot: str, wide: bool, before: str) -> None:
    if wide:
        host = "".join(chr(ord(letter) + 0xFEE0) if letter != "-" else letter for letter in host)
    assert link_in(f"{before}{host}{dot}{end}") is not None


@pytest.mark.parametrize(
    "piece", ["a", "a.", "1.", ": ", "[", " ", "@", "{a}", "a" + "\u200b", "0:", "دات ", "http", "a-", "."]
)
def test_the_work_grows_linearly_with_the_text(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        took = []
        for _ in range(3):
            began = time.process_time()
            link_in(text)
            has_hidden_letters(text)
            took.append(time.process_time() - began)
        return min(took)

    assert seconds(64_000) < 6 * seconds(16_000) + 0.02
