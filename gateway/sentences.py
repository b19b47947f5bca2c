"""What is wrong with one field, in a sentence a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backbone.persian import persian_digits
from contracts.vocabulary import Language

_SENTENCES: Mapping[str, tuple[str, str]] = {
    "missing": ("این مورد لازم است.", "This is needed."),
    "extra_forbidden": ("چنین خانه‌ای شناخته نیست.", "There is no such field."),
    "string_too_short": ("دست‌کم {min_length} نویسه لازم است.", "At least {min_length} characters are needed."),
    "string_too_long": (
        "بیش از {max_length} نویسه پذیرفته نمی‌شود.",
        "No more than {max_length} characters are accepted.",
    ),
    "string_pattern_mismatch": (
        "قالب آن درست نیست یا نویسه‌ای دارد که پذیرفته نمی‌شود.",
        "Its form is not right, or it has characters that are not accepted.",
    ),
    "string_type": ("باید متن باشد.", "It must be text."),
    "string_unicode": ("متن درستی نیست.", "It is not proper text."),
    "forbidden_characters": (
        "نویسه‌های کنترلی یا تغییردهنده جهت متن پذیرفته نمی‌شود.",
        "Control characters and direction overrides are not accepted.",
    ),
    "too_long": ("بیش از {max_length} مورد پذیرفته نمی‌شود.", "No more than {max_length} are accepted."),
    "too_short": ("دست‌کم {min_length} مورد لازم است.", "At least {min_length} are needed."),
    "greater_than_equal": ("باید {ge} یا بیشتر باشد.", "It must be {ge} or more."),
    "less_than_equal": ("باید {le} یا کمتر باشد.", "It must be {le} or less."),
    "enum": ("یکی از مقدارهای شناخته نیست.", "It is not one of the known values."),
    "literal_error": ("یکی از مقدارهای شناخته نیست.", "It is not one of the known values."),
    "union_tag_invalid": ("یکی از مقدارهای شناخته نیست.", "It is not one of the known values."),
    "json_invalid": ("JSON درستی نیست.", "It is not proper JSON."),
    "duplicate_key": ("یک نام دو بار آمده است.", "A name appears twice."),
    "too_deep": ("بیش از اندازه تودرتو است.", "It is nested too deeply."),
    "consent_missing": ("پذیرفتن مسئولیت درستی گفته‌ها لازم است.", "Accepting responsibility for the claim is needed."),
    "unknown_unit": ("واحدی با این کد نیست.", "There is no unit with this code."),
    "closed_unit": ("این واحد تعطیل شده است.", "This unit is closed."),
    "unknown_ground": ("محوری با این کد نیست.", "There is no ground with this code."),
    "ground_not_for_kind": ("این محور برای این نوع درخواست نیست.", "This ground is not offered for this kind."),
    "unknown_question": ("این محور چنین پرسشی ندارد.", "This ground has no such question."),
    "not_an_option": ("یکی از گزینه‌ها نیست.", "It is not one of the options."),
    "not_a_number": ("باید عدد باشد.", "It must be a number."),
    "not_a_date": ("باید تاریخی به شکل 2026-11-23 باشد.", "It must be a date such as 2026-11-23."),
    "not_a_mobile": ("شماره همراه درستی نیست.", "It is not a mobile number."),
    "not_a_national_id": ("کد ملی درست نیست.", "It is not a national ID."),
    "in_the_future": ("نمی‌تواند در آینده باشد.", "It cannot be in the future."),
    "twice": ("یک مورد دو بار آمده است.", "One of them appears twice."),
    "only_for_operators": ("تنها کاربر پیشخوان می‌تواند آن را بدهد.", "Only a desk operator may give it."),
    "not_when_anonymous": ("در درخواست بی‌نام نمی‌آید.", "It does not belong in an anonymous submission."),
    "not_for_complaints": ("شکایت نمی‌تواند بی‌نام باشد.", "A complaint cannot be anonymous."),
    "date_out_of_range": ("تاریخ درستی نیست.", "It is not a date of our time."),
    "not_after_its_start": ("باید پس از آغاز آن باشد.", "It must be after its start."),
    "outside_working_hours": ("بیرون از ساعت کار است.", "It is outside working hours."),
    "no_time_for_a_slot": ("در این روزها و ساعت‌ها وقتی جا نمی‌گیرد.", "No slot fits into these days and hours."),
    "not_an_inspector": ("بازرس نیست.", "This is not an inspector."),
    "same_slot": ("همین وقت را دارید.", "You have this time already."),
    "conflict_of_interest": ("تعارض منافع دارد.", "There is a conflict of interest."),
    "already_used": ("پیش‌تر به کار رفته است.", "It was used before."),
}
_BEGINNINGS: tuple[tuple[str, tuple[str, str]], ...] = (
    ("uuid", ("شناسه درستی نیست.", "It is not an identifier.")),
    ("date", ("تاریخ درستی نیست.", "It is not a date.")),
    ("timezone", ("تاریخ درستی نیست.", "It is not a date with its offset.")),
    ("int", ("باید عدد درست باشد.", "It must be a whole number.")),
    ("float", ("باید عدد باشد.", "It must be a number.")),
    ("finite", ("باید عدد باشد.", "It must be a number.")),
    ("bool", ("باید true یا false باشد.", "It must be true or false.")),
    ("list", ("باید فهرست باشد.", "It must be a list.")),
    ("dict", ("باید شیء باشد.", "It must be an object.")),
    ("model", ("باید شیء باشد.", "It must be an object.")),
)
_OTHERWISE = ("درست نیست.", "It is not right.")


def sentence(field: Mapping[str, Any], lang: Language) -> str:
    """The sentence for one entry of an error's `fields`."""
    reason = str(field.get("reason", ""))
    pair = _SENTENCES.get(reason)
    if pair is None:
        pair = next((texts for beginning, texts in _BEGINNINGS if reason.startswith(beginning)), _OTHERWISE)
    template = pair[0] if lang is Language.FA else pair[1]
    values = {
        name: persian_digits(str(value)) if lang is Language.FA else value
        for name, value in field.items()
        if name not in ("field", "reason")
    }
    try:
        return template.format(**values)
    except (KeyError, IndexError):
        return _OTHERWISE[0] if lang is Language.FA else _OTHERWISE[1]
