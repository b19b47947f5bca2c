"""What a form, or a page about the office, needs to know: GET /v1/office."""

from __future__ import annotations

from datetime import date
from typing import Literal

from contracts.base import Answer
from contracts.vocabulary import Kind, Language


class Bilingual(Answer):
    """A text in both languages, so that one answer serves every visitor."""

    fa: str
    en: str


class KindFacts(Answer):
    """`identity`: whether who files has to name themselves. `verified_mobile`: whether they have to sign in by a one-time code.

    `first_reading_days`, `decision_days`, `objection_days`: what is promised, in working days; `decision_on`: for what is filed
    today. None while the service that knows does not answer.

    `half_within_days`, `most_within_days`: how long it took in the newest published season: days in which half and four fifths of
    the cases were decided. None where too few were to be published, or more than a year.
    """

    kind: Kind
    name: Bilingual
    identity: Literal["required", "optional"]
    anonymous_by_default: bool
    verified_mobile: bool
    first_reading_days: int | None
    decision_days: int | None
    decision_on: date | None
    decision_on_text: Bilingual | None
    objection_days: int | None
    half_within_days: int | None
    most_within_days: int | None


class FiguresSeason(Answer):
    """The season that `half_within_days` and `most_within_days` are of: its first and last day."""

    since: date
    until: date
    name: Bilingual


class OfficeDay(Answer):
    """Today in Tehran. `next_workday`: the first working day after it. None while not known."""

    day: date
    text: Bilingual
    is_workday: bool | None
    is_holiday: bool
    next_workday: date | None
    next_workday_text: Bilingual | None


class AllowedFileType(Answer):
    """`suffixes`: with their dot, for the `accept` of a file field."""

    media_type: str
    suffixes: list[str]


class EvidenceRules(Answer):
    """`max_bytes`: of one file. `max_files`: in one submission; `max_files_of_case`: of its citizen in all. `kept_hours`: for
    which an upload that was not filed is kept after its last renewal (`POST /v1/uploads/{upload_id}/renewal`), and
    `renewable_days` after its beginning at most."""

    types: list[AllowedFileType]
    max_bytes: int
    max_files: int
    max_files_of_case: int
    kept_hours: int
    renewable_days: int


class TextRules(Answer):
    """Characters. `min_seen`: visible ones among them."""

    min_length: int
    min_seen: int
    max_length: int


class NumberRules(Answer):
    """`pattern`: a regular expression (ECMAScript) over the number in Latin digits, without spaces and dashes; any digits may be
    typed. `required`: by `kind` complaint. `check_digit`: the last digit is one (docs/reference)."""

    pattern: str
    example: str
    required: bool
    check_digit: bool


class PeopleRules(Answer):
    max_people: int
    max_length: int


class GroupRules(Answer):
    min_members: int
    max_members: int
    max_named: int


class LengthRules(Answer):
    """The longest texts, in characters."""

    message: int
    objection: int
    answer: int
    address: int
    reference: int
    reason: int


class FormRules(Answer):
    """What a submission is checked by: the API, the pages and this say the same."""

    text: TextRules
    name: TextRules
    lengths: LengthRules
    people: PeopleRules
    group: GroupRules
    evidence: EvidenceRules
    mobile: NumberRules
    national_id: NumberRules
    one_time_code_digits: int
    tracking_code_digits: int
    happened_from: date


class Office(Answer):
    """`emblem`: the address of an SVG. `weekend`: days of the week, Monday 0. `rating_days`: days of the calendar from the
    closing in which a case may be rated. What the office has not told is None."""

    name: Bilingual
    short_name: Bilingual
    emblem: str
    phone: str | None
    sms_number: str | None
    address: Bilingual | None
    hours: Bilingual | None
    languages: list[Language]
    time_zone: str
    today: OfficeDay
    weekend: list[int]
    holidays: list[date]
    kinds: list[KindFacts]
    figures: FiguresSeason | None
    rating_days: int | None
    rules: FormRules
