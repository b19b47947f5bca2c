"""What is wrong with one field, in a sentence a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from backbone.persian.date_text import day_text, digits
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
        "نویسه‌های کنترلی، نادیدنی یا تغییردهنده جهت متن پذیرفته نمی‌شود.",
        "Control characters, invisible ones and direction overrides are not accepted.",
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
    "too_many_containers": (
        "بیش از {max_length} فهرست و شیء در آن است.",
        "It has more than {max_length} lists and objects.",
    ),
    "too_many_fields": ("بیش از {max_length} نام در یک شیء است.", "It has an object of more than {max_length} names."),
    "too_deep": ("بیش از اندازه تودرتو است.", "It is nested too deeply."),
    "consent_missing": ("پذیرفتن مسئولیت درستی گفته‌ها لازم است.", "Accepting responsibility for the claim is needed."),
    "citizen_consent_missing": (
        "بگویید شهروند چگونه و به چه چیزی رضایت داده است.",
        "Say how the citizen consented, and to what.",
    ),
    "unknown_unit": ("واحدی با این کد نیست.", "There is no unit with this code."),
    "closed_unit": ("این واحد تعطیل شده است.", "This unit is closed."),
    "unknown_ground": ("محوری با این کد نیست.", "There is no ground with this code."),
    "ground_not_for_kind": ("این محور برای این نوع درخواست نیست.", "This ground is not offered for this kind."),
    "unknown_question": ("این محور چنین پرسشی ندارد.", "This ground has no such question."),
    "not_an_option": ("یکی از گزینه‌ها نیست.", "It is not one of the options."),
    "not_a_number": ("باید عدد باشد.", "It must be a number."),
    "not_a_date": (
        "باید تاریخی مانند ۲ آذر ۱۴۰۵ یا ۱۴۰۵/۹/۲ باشد.",
        "It must be a date such as 2026-11-23 or 23 November 2026.",
    ),
    "year_incomplete": (
        "سال را با چهار رقم بنویسید، مانند ۱۴۰۵/۹/۲.",
        "Write the year with four digits, as in 2026-11-23.",
    ),
    "ambiguous_date": (
        "دو معنا دارد: {meanings}؟ نام ماه را بنویسید.",
        "It may mean two days: {meanings}? Write the name of the month.",
    ),
    "too_long_ago": ("باید روزی از {earliest} تا {latest} باشد.", "It must be a day from {earliest} to {latest}."),
    "not_a_mobile": ("شماره همراه درستی نیست.", "It is not a mobile number."),
    "not_a_national_id": ("کد ملی درست نیست.", "It is not a national ID."),
    "in_the_future": (
        "نمی‌تواند در آینده باشد؛ روزی تا {latest}.",
        "It cannot be in the future: a day up to {latest}.",
    ),
    "twice": ("یک مورد دو بار آمده است.", "One of them appears twice."),
    "only_for_operators": ("تنها کاربر پیشخوان می‌تواند آن را بدهد.", "Only a desk operator may give it."),
    "not_when_anonymous": ("در درخواست بی‌نام نمی‌آید.", "It does not belong in an anonymous submission."),
    "not_for_complaints": ("شکایت نمی‌تواند بی‌نام باشد.", "A complaint cannot be anonymous."),
    "only_for_complaints": ("تنها شکایت می‌تواند گروهی باشد.", "Only a complaint can be a group's."),
    "more_than_members": (
        "نام‌بردگان همراه نماینده بیش از شمار اعضا هستند.",
        "With their representative, more are named than there are members.",
    ),
    "is_the_representative": ("این شماره از آن نماینده گروه است.", "This is the mobile of the group's representative."),
    "not_asked": ("با پاسخ‌های دیگر شما این پرسش پیش نمی‌آید.", "Your other answers do not lead to this question."),
    "not_offered": ("این گزینه دیگر به کار نمی‌رود.", "It is not offered any more."),
    "no_root": ("درخت واحدها ریشه ندارد.", "The tree of units has no root."),
    "second_root": ("تنها یک واحد می‌تواند بالادست نداشته باشد.", "Only one unit may have no parent."),
    "circle": ("واحد زیرمجموعه خودش می‌شود.", "The unit would be below itself."),
    "open_children": (
        "تا واحدی باز زیر آن است نمی‌تواند بسته باشد.",
        "It cannot be closed while a unit below it is open.",
    ),
    "not_for_this_type": ("این نوع پرسش گزینه ندارد.", "A question of this type has no options."),
    "not_an_earlier_question": (
        "شرط باید به پرسشی پیش از آن برگردد.",
        "The condition has to refer to an earlier question.",
    ),
    "not_a_choice": ("شرط تنها به پرسش گزینه‌ای برمی‌گردد.", "A condition refers to a question with options."),
    "not_a_weekday": ("روز هفته از 0 (دوشنبه) تا 6 است.", "A day of the week is 0 (Monday) to 6."),
    "no_working_day": ("دست‌کم یک روز کاری باید بماند.", "At least one working day has to remain."),
    "unknown_code": ("این کد شناخته نیست.", "This code is not known."),
    "own_account": (
        "حساب خود را نمی‌توان بست یا نقش مدیر سامانه را از خود گرفت.",
        "Nobody closes their own account or gives up their own role of administrator.",
    ),
    "approved_by_provider": (
        "متن تأییدشده نزد سرویس پیامک است و اینجا تغییر نمی‌کند.",
        "The SMS provider sends its own approved copy; it cannot be changed here.",
    ),
    "bad_placeholder": (
        "آکولادها جفت نیستند یا درون آن‌ها چیزی جز یک نام است.",
        "Braces have no partner, or hold more than a name.",
    ),
    "value_not_offered": ("این پیام چنین مقداری ندارد: {value}", "This message does not offer: {value}"),
    "value_on_own_line": (
        "مقدار {value} باید در یک سطر جداگانه باشد.",
        "The value {value} has to stand alone on its line.",
    ),
    "values_differ": (
        "متن فارسی و انگلیسی باید یک مقدارها را نام ببرند.",
        "The Persian and the English text have to name the same values.",
    ),
    "link_in_sms": (
        "پیامک نباید پیوند یا نشانی اینترنتی داشته باشد: {value}",
        "An SMS may hold no link or Internet address: {value}",
    ),
    "too_fine": (
        "آمار عمومی تا این اندازه ریز نیست: ماه، و یکی از واحد، محور، نوع و مرحله.",
        "Public figures are not so fine: months, and one of unit, ground, kind and stage.",
    ),
    "too_many_parts": ("پیامک از {most} بخش بلندتر می‌شود.", "The SMS would take more than {most} parts."),
    "not_utf8": ("متن پرونده UTF-8 نیست.", "The text of the file is not UTF-8."),
    "no_such_file": ("چنین پرونده‌ای نیست.", "There is no such file."),
    "not_a_table": ("پرونده CSV یا XLSX خواندنی نیست.", "It is not a CSV or XLSX file that can be read."),
    "file_too_large": ("پرونده از {most} مگابایت بزرگ‌تر است.", "The file is larger than {most} MiB."),
    "unpacks_too_large": (
        "محتوای فشرده پرونده پس از بازشدن از {most} مگابایت بیشتر می‌شود، یا بیش از اندازه فشرده است.",
        "Unpacked, a part of the file takes more than {most} MiB, or it is packed more tightly than any real one.",
    ),
    "unsafe_xml": (
        "پرونده XLSX تعریف‌هایی دارد یا چنان تودرتو است که در هیچ جدول واقعی نیست.",
        "The XLSX file holds declarations, or is nested more deeply, than any real table.",
    ),
    "too_much_text": (
        "متن خانه‌ها روی هم از {most} نویسه بیشتر است.",
        "The cells hold more than {most} characters in all.",
    ),
    "takes_too_long": ("خواندن پرونده بیش از اندازه طول می‌کشد.", "Reading the file takes too long."),
    "takes_too_much_memory": (
        "خواندن پرونده بیش از اندازه حافظه می‌خواهد.",
        "Reading the file takes too much memory.",
    ),
    "empty_table": ("هیچ سطری ندارد.", "It has no rows."),
    "missing_column": ("این ستون لازم است.", "This column is needed."),
    "unknown_column": ("چنین ستونی شناخته نیست.", "There is no such column."),
    "too_many_cells": ("خانه‌های این سطر بیش از ستون‌هاست.", "This row has more cells than there are columns."),
    "not_a_day": (
        "باید روزی مانند 2027-03-21 یا ۱۴۰۶/۰۱/۰۱ باشد.",
        "It must be a day such as 2027-03-21 or 1406/01/01.",
    ),
    "fixed_text": (
        "این متن تغییر نمی‌کند: امینان هویت با آن از کار راهبران آگاه می‌شوند.",
        "This text is not changed: by it the custodians hear of what administrators do.",
    ),
    "two_administrators": (
        "این تغییر را دو راهبر سامانه باید انجام دهند: یکی درخواست کند و دیگری تأیید؛ با جدول نمی‌شود.",
        "This takes two administrators, one asking and one confirming; a table cannot do it.",
    ),
    "no_administrator": ("هیچ مدیر سامانه‌ای نمی‌ماند.", "No administrator would remain."),
    "date_out_of_range": ("باید روزی از {earliest} تا {latest} باشد.", "It must be a day from {earliest} to {latest}."),
    "not_after_its_start": ("باید پس از آغاز آن باشد.", "It must be after its start."),
    "before_its_start": ("پیش از آغاز آن است.", "It is before its start."),
    "not_a_case_number": (
        "باید شماره پرونده‌ای مانند ۱۴۰۵-۰۰۰۱۲۳ یا بخش پایانی آن باشد.",
        "It must be a case number such as 1405-000123, or its last part.",
    ),
    "blank": ("نباید خالی باشد.", "It may not be blank."),
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
    values = {name: _shown(name, value, lang) for name, value in field.items() if name not in ("field", "reason")}
    try:
        return template.format(**values)
    except (KeyError, IndexError):
        return _OTHERWISE[0] if lang is Language.FA else _OTHERWISE[1]


_DAYS = frozenset({"earliest", "latest", "meanings"})


def _shown(name: str, value: object, lang: Language) -> str:
    if name in _DAYS:
        days = [date.fromisoformat(text) for text in str(value).split()]
        shown = [day_text(day, lang) for day in days]
        return (" یا " if lang is Language.FA else " or ").join(shown)
    return digits(str(value), lang)
