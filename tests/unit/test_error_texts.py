"""What errors say to whoever can act on them: each reason has a sentence, and a conflict tells what is in the way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts.errors import (
    Conflict,
    HeadNeeded,
    PeygirError,
    ReferralTooLarge,
    StaleVersion,
    WrongStage,
    WrongVisitState,
)
from contracts.vocabulary import Language, Stage
from tests.support.processes import ROOT
from texts.errors import error_text, error_title
from texts.fields import field_text

LIMITS = {
    **dict.fromkeys(("min_length", "max_length", "ge", "le", "most", "limit"), 5),
    **dict.fromkeys(("earliest", "latest", "meanings"), "2026-11-23"),
    **dict.fromkeys(("value", "cell", "by"), "x"),
}
REASONS = (
    r'"reason": "([a-z_]+)"',
    r'wrong\("[a-z_.]+", "([a-z_]+)"\)',
    r'wrong\(path, "([a-z_]+)"\)',
    r'PydanticCustomError\(\s*"([a-z_]+)"',
    r'mistake\("?[a-z_]+"?, "([a-z_]+)"',
    r'NotATable\("([a-z_]+)"\)',
    r'Unreadable\("([a-z_]+)"',
)


def reasons() -> set[str]:
    files = [file for folder in ("services", "gateway", "backbone") for file in Path(ROOT / folder).rglob("*.py")]
    code = "\n".join(file.read_text("utf-8") for file in files)
    return {reason for pattern in REASONS for reason in re.findall(pattern, code)} - {"refusal_reason"}  # names a list


def test_each_reason_that_the_code_names_has_a_sentence_of_its_own() -> None:
    reasons_in_code = reasons()
    assert {"not_an_inspector", "unknown_code", "open_document", "twice"} <= reasons_in_code
    without = {
        reason
        for reason in reasons_in_code
        if field_text({"reason": reason, **LIMITS}, Language.EN) == field_text({"reason": "?"}, Language.EN)
    }
    assert without == set()


def test_an_enumeration_names_its_values() -> None:
    field = {"reason": "enum", "expected": "'fa' or 'en'"}
    assert field_text(field, Language.EN) == "It must be one of these: fa, en"
    assert field_text(field, Language.FA) == "باید یکی از این‌ها باشد: fa، en"


@pytest.mark.parametrize(
    ("error", "english", "persian"),
    [
        (WrongStage(stage="closed", command="assign"), "Closed", "بسته شد"),
        (WrongStage(stage="awaiting_citizen", command="x"), "Waiting for the citizen", "در انتظار پاسخ شهروند"),
        (WrongVisitState(state="booked", command="x"), "Booked", "وقت گرفته شد"),
        (WrongVisitState(state=None, command="x"), "no visit", "مراجعه‌ای ندارد"),
        (
            StaleVersion(current=5, changes=[{}, {"actor_name": "بازرس ۲"}]),
            "2, the last by بازرس ۲",
            "۲، آخرین از بازرس ۲",
        ),
        (StaleVersion(current=5, changes=[{"what": "units"}]), "changes: 1", "۱ بار"),
        (Conflict(reason="nobody_free"), "No inspector", "بازرسی نیست"),
    ],
)
def test_a_conflict_says_what_is_in_the_way(error: PeygirError, english: str, persian: str) -> None:
    assert english in error_text(error, "en")
    assert persian in error_text(error, "fa")
    assert english not in error_title(error, "en")


def test_a_conflict_whose_values_are_unknown_has_the_text_of_its_kind() -> None:
    assert error_text(WrongStage(stage="uploading"), "en") == error_text(WrongStage(), "en")
    assert error_text(Conflict(reason="new_reason"), "en") == error_text(Conflict(), "en")
    for stage in Stage:
        assert "…" not in error_text(WrongStage(stage=stage, command="x"), "fa")


def test_numbers_in_a_sentence_are_in_the_digits_of_its_language() -> None:
    assert "۲ بار" in error_text(HeadNeeded(transfers=2), "fa")
    assert "2 times" in error_text(HeadNeeded(transfers=2), "en")
    assert "۱۰۲۴ مگابایت" in error_text(ReferralTooLarge(limit=1024), "fa")
