"""Rules of notify: the meaning of inbound texts, quiet hours, parts of an SMS, pauses between attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from contracts import tracking_codes
from services.notify.delivery.rules import QuietHours, client_reference, poll_wait, retry_wait
from services.notify.inbound.meanings import NotUnderstood, OptIn, OptOut, TrackingCodeSent, meanings_of
from services.notify.wording.rules import code_for_sms, sms_parts

CODE = "1234567890123456"


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        "1234 5678 9012 3456",
        "۱۲۳۴-۵۶۷۸-۹۰۱۲-۳۴۵۶",
        "١٢٣٤ ٥٦٧٨ ٩٠١٢ ٣٤٥٦",
        "1234\u200c5678\u200f9012\n3456",
        "کد من: ۱۲۳۴ ۵۶۷۸ ۹۰۱۲ ۳۴۵۶ است",
        " 1234_5678.9012,3456 ",
        "کد پیگیری شما: 1234/5678/9012/3456\nتلفن ۰۲۸۳۳۲۲۱۱۰۰",
    ],
)
def test_a_code_is_read_in_any_digits_with_any_separators(text: str) -> None:
    assert meanings_of(text, tracking_codes.candidates(text), [CODE]) == [TrackingCodeSent((CODE,))]
    assert meanings_of(text, tracking_codes.candidates(text), []) == [TrackingCodeSent()]
    assert tracking_codes.candidates(text) == [CODE]


@pytest.mark.parametrize(
    "text", ["سلام", "", "12", "3", CODE + "1", "123456789012345", "خیابان رازی", "1 ماه است منتظرم"]
)
def test_anything_else_is_not_understood(text: str) -> None:
    assert meanings_of(text, tracking_codes.candidates(text), []) == [NotUnderstood()]


def test_a_citizen_may_opt_out_and_in_again() -> None:
    assert meanings_of("لغو ۱۱", [], []) == [OptOut()]
    assert meanings_of("Start", [], []) == [OptIn()]


def tehran(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=3, minutes=30)


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        (tehran(7), tehran(7)),
        (tehran(21, 59), tehran(21, 59)),
        (tehran(22), tehran(7, day=24)),
        (tehran(23, 59), tehran(7, day=24)),
        (tehran(0), tehran(7)),
        (tehran(6, 59), tehran(7)),
    ],
)
def test_quiet_hours_last_until_morning_in_tehran(moment: datetime, allowed: datetime) -> None:
    assert QuietHours(22, 7).next_allowed(moment) == allowed


def test_quiet_hours_can_be_disabled_or_in_daytime() -> None:
    half_past = QuietHours.of_minutes(22 * 60 + 30, 6 * 60 + 45)
    assert half_past.next_allowed(tehran(22)) == tehran(22)
    assert half_past.next_allowed(tehran(23)) == tehran(6) + timedelta(days=1, minutes=45)
    assert half_past.minutes == (1350, 405)
    assert QuietHours(0, 0).next_allowed(tehran(3)) == tehran(3)
    assert QuietHours(13, 15).next_allowed(tehran(14)) == tehran(15)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ب" * 70, 1),
        ("ب" * 71, 2),
        ("ب" * 134, 2),
        ("ب" * 135, 3),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("[" * 80, 1),
        ("[" * 81, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_parts_are_counted(text: str, parts: int) -> None:
    assert sms_parts(text) == parts


def test_a_code_is_shown_in_four_groups() -> None:
    assert code_for_sms(CODE) == "1234-5678-9012-3456"


def test_a_message_has_one_client_reference_at_each_provider() -> None:
    message = uuid4()
    assert client_reference(message, "a") == client_reference(message, "a") != client_reference(message, "b")
    assert 0 <= int(client_reference(message, "a")) < 2**63


def test_waits_grow_and_stay_within_the_memory_of_the_provider() -> None:
    waits = [retry_wait(attempt) for attempt in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(seconds=5)
    assert waits[-1] == timedelta(hours=1)
    assert poll_wait(0) == timedelta(minutes=1)
    assert poll_wait(99) == timedelta(hours=4)
