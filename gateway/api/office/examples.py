"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

DAY: dict[str, str] = {"fa": "۲ آذر ۱۴۰۵", "en": "23 November 2026"}
NEXT_DAY: dict[str, str] = {"fa": "۳ آذر ۱۴۰۵", "en": "24 November 2026"}
KIND: dict[str, Any] = {
    "kind": "complaint",
    "name": {"fa": "شکایت", "en": "Complaint"},
    "identity": "required",
    "anonymous_by_default": False,
    "verified_mobile": True,
    "first_reading_days": 2,
    "decision_days": 15,
    "decision_on": "2026-12-15",
    "decision_on_text": {"fa": "۲۴ آذر ۱۴۰۵", "en": "15 December 2026"},
    "objection_days": 10,
    "half_within_days": 14,
    "most_within_days": 30,
}
SEASON: dict[str, Any] = {
    "since": "2026-06-22",
    "until": "2026-09-22",
    "name": {"fa": "تابستان ۱۴۰۵", "en": "Summer 1405"},
}
TODAY: dict[str, Any] = {
    "day": "2026-11-23",
    "text": DAY,
    "is_workday": True,
    "is_holiday": False,
    "next_workday": "2026-11-24",
    "next_workday_text": NEXT_DAY,
}
FILE_TYPE: dict[str, Any] = {"media_type": "image/jpeg", "suffixes": [".jpg", ".jpeg"]}
EVIDENCE: dict[str, Any] = {
    "types": [FILE_TYPE],
    "max_bytes": 209715200,
    "max_files": 10,
    "max_files_of_case": 50,
    "kept_hours": 24,
    "renewable_days": 7,
}
TEXT: dict[str, Any] = {"min_length": 10, "min_seen": 5, "max_length": 10000}
NUMBER: dict[str, Any] = {
    "pattern": "^(?:(?:\\+|00)?980?|0)?9[0-9]{9}$",
    "example": "09121234567",
    "required": False,
    "check_digit": False,
}
LENGTHS: dict[str, Any] = {
    "message": 10000,
    "objection": 10000,
    "answer": 2000,
    "address": 500,
    "reference": 100,
    "reason": 1000,
}
PEOPLE: dict[str, Any] = {"max_people": 10, "max_length": 100}
GROUP: dict[str, Any] = {"min_members": 2, "max_members": 1000, "max_named": 100}
RULES: dict[str, Any] = {
    "text": TEXT,
    "name": {"min_length": 2, "min_seen": 2, "max_length": 100},
    "lengths": LENGTHS,
    "people": PEOPLE,
    "group": GROUP,
    "evidence": EVIDENCE,
    "mobile": NUMBER,
    "national_id": {"pattern": "^[0-9]{8,10}$", "example": "0012345679", "required": False, "check_digit": True},
    "one_time_code_digits": 6,
    "tracking_code_digits": 16,
    "happened_from": "2001-03-21",
}
OUTCOME: dict[str, Any] = {"outcome": "upheld", "count": 120}
OUTCOME_VIEW: dict[str, Any] = {**OUTCOME, "outcome_name": {"fa": "وارد", "en": "Upheld"}}
SCORE: dict[str, Any] = {"score": 4, "count": 55}
MONTH: dict[str, Any] = {
    "month": "1405-07",
    "month_name": {"fa": "مهر ۱۴۰۵", "en": "Mehr 1405"},
    "cases": 310,
    "outcomes": [OUTCOME_VIEW],
    "ratings": 140,
    "average_rating": 3.8,
    "scores": [SCORE],
}
DURATION: dict[str, Any] = {
    "since": "2026-06-22",
    "until": "2026-09-22",
    "kind": "complaint",
    "decided": 640,
    "half_within_days": 14,
    "most_within_days": 30,
    "kind_name": {"fa": "شکایت", "en": "Complaint"},
    "season_name": {"fa": "تابستان ۱۴۰۵", "en": "Summer 1405"},
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Bilingual": DAY,
    "EvidenceRules": EVIDENCE,
    "FiguresSeason": SEASON,
    "AllowedFileType": FILE_TYPE,
    "FormRules": RULES,
    "GroupRules": GROUP,
    "KindFacts": KIND,
    "LengthRules": LENGTHS,
    "NumberRules": NUMBER,
    "Office": {
        "name": {"fa": "بازرسی شهرداری قزوین", "en": "Qazvin Municipality Inspection"},
        "short_name": {"fa": "بازرسی قزوین", "en": "Qazvin Inspection"},
        "emblem": "/v1/office/emblem",
        "phone": "028 3333 0000",
        "sms_number": "10008000",
        "address": {"fa": "قزوین، خیابان فلسطین", "en": "Felestin Street, Qazvin"},
        "hours": {"fa": "شنبه تا چهارشنبه، ۷:۳۰ تا ۱۴:۳۰", "en": "Saturday to Wednesday, 7:30 to 14:30"},
        "languages": ["fa", "en"],
        "time_zone": "Asia/Tehran",
        "today": TODAY,
        "weekend": [3, 4],
        "holidays": ["2027-02-11"],
        "kinds": [KIND],
        "figures": SEASON,
        "rating_days": 30,
        "rules": RULES,
    },
    "OfficeDay": TODAY,
    "OutcomeCountView": OUTCOME_VIEW,
    "PeopleRules": PEOPLE,
    "PublishedDurationView": DURATION,
    "PublishedFiguresView": {"until": "2026-11-20", "months": [MONTH], "durations": [DURATION]},
    "PublishedMonthView": MONTH,
    "ScoreCount": SCORE,
    "TextRules": TEXT,
}
