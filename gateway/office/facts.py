"""The facts of the office, put together from its file, the settings, the catalogue, and what two services know: what is promised
(tracking), and how long things took by the published figures (insight). Without these services they are left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Generic, TypeVar

from pydantic import BaseModel

from backbone.persian import date_parsing, jalali
from backbone.persian.date_text import day_text, digits
from contracts import text_limits
from contracts.base import Request, now
from contracts.errors import PeygirError
from contracts.insight import GetPublishedFigures, PublishedDuration, PublishedFigures
from contracts.intake import Catalogue
from contracts.media import MOST_FILES_OF_CASE, SENT_TYPES, UNFILED_DAYS, UNFILED_HOURS
from contracts.promises import ListPromises, Promises
from contracts.vocabulary import Kind, Language
from gateway.office.views import (
    AllowedFileType,
    Bilingual,
    EvidenceRules,
    FiguresSeason,
    FormRules,
    GroupRules,
    KindFacts,
    LengthRules,
    NumberRules,
    Office,
    OfficeDay,
    PeopleRules,
    TextRules,
)
from gateway.rabbit.client import RabbitClient
from gateway.settings import Settings
from gateway.submissions.catalogue_cache import CatalogueCache
from texts.loading import area
from texts.office import office
from texts.vocabulary import KIND_NAMES

EMBLEM = "/v1/office/emblem"
PROMISES_SECONDS, FIGURES_SECONDS, RETRY_SECONDS = 300.0, 3600.0, 30.0
_TEXTS = area("office")
_MOBILE = r"^(?:(?:\+|00)?980?|0)?9[0-9]{9}$"
_NATIONAL_ID = r"^[0-9]{8,10}$"
Reply = TypeVar("Reply", bound=BaseModel)


class _Kept(Generic[Reply]):
    """The newest answer of a service, asked for again when it is old; an old one stays when the service does not answer."""

    def __init__(self, rabbit: RabbitClient, name: str, request: Request, answer: type[Reply], seconds: float) -> None:
        self._rabbit, self._request, self._answer, self._seconds = rabbit, request, answer, seconds
        self._service, _, self._method = name.partition(".")
        self._value: Reply | None = None
        self._ask_at = 0.0

    async def read(self, is_current: Callable[[Reply], bool] = lambda _: True) -> Reply | None:
        """None while there has been no answer, or the last one no longer holds."""
        stale = self._value is not None and not is_current(self._value)
        if time.monotonic() >= self._ask_at or stale:
            self._ask_at = time.monotonic() + RETRY_SECONDS
            try:
                self._value = await self._rabbit.call(self._service, self._method, self._request, self._answer)
                self._ask_at = time.monotonic() + self._seconds
            except PeygirError:
                if stale:
                    self._value = None
        return self._value


class OfficeFacts:
    """One object of the process."""

    def __init__(self, settings: Settings, rabbit: RabbitClient, catalogue_cache: CatalogueCache) -> None:
        self._settings, self._catalogue_cache = settings, catalogue_cache
        self._promises = _Kept(rabbit, "tracking.list_promises", ListPromises(), Promises, PROMISES_SECONDS)
        self._figures = _Kept(
            rabbit, "insight.get_published_figures", GetPublishedFigures(), PublishedFigures, FIGURES_SECONDS
        )

    async def figures(self) -> PublishedFigures | None:
        """What is published, at most an hour old; None while insight has not answered."""
        return await self._figures.read()

    async def read(self) -> Office:
        """Everything, as of now."""
        today = jalali.today(now())
        promises = await self._promises.read(lambda promises: promises.as_of == today)
        figures = await self.figures()
        facts, catalogue = office(), self._catalogue_cache.current
        newest = max((row.since for row in figures.durations), default=None) if figures else None
        season = [row for row in figures.durations if row.since == newest] if figures else []
        return Office(
            name=both(facts.name),
            short_name=both(facts.sms_name),
            emblem=EMBLEM,
            phone=facts.phone or None,
            sms_number=facts.sms_number or None,
            address=both(facts.address) if any(facts.address.values()) else None,
            hours=both(facts.hours) if any(facts.hours.values()) else None,
            languages=list(Language),
            time_zone="Asia/Tehran",
            today=_today(today, promises, catalogue),
            weekend=list(catalogue.weekend) if catalogue else [],
            holidays=[day for day in catalogue.holidays if day >= today] if catalogue else [],
            kinds=[self._kind(kind, promises, {row.kind: row for row in season}) for kind in Kind],
            figures=_season(season[0]) if season else None,
            rating_days=promises.rating_days if promises else None,
            rules=form_rules(self._settings),
        )

    def _kind(self, kind: Kind, promises: Promises | None, season: Mapping[Kind, PublishedDuration]) -> KindFacts:
        promise = next((item for item in promises.items if item.kind is kind), None) if promises else None
        took = season.get(kind)
        return KindFacts(
            kind=kind,
            name=both(KIND_NAMES[kind]),
            identity="required" if kind is Kind.COMPLAINT else "optional",
            anonymous_by_default=kind is Kind.INFORMATION,
            verified_mobile=kind is Kind.COMPLAINT,
            first_reading_days=promise.first_reading_days if promise else None,
            decision_days=promise.decision_days if promise else None,
            decision_on=promise.decision_on if promise else None,
            decision_on_text=_day(promise.decision_on) if promise else None,
            objection_days=promise.objection_days if promise else None,
            half_within_days=took.half_within_days if took else None,
            most_within_days=took.most_within_days if took else None,
        )


def form_rules(settings: Settings) -> FormRules:
    """The constants that bodies are checked by."""
    limits = text_limits
    return FormRules(
        text=TextRules(min_length=limits.SHORTEST_CLAIM, min_seen=limits.CLAIM_SEEN, max_length=limits.LONGEST_TEXT),
        name=TextRules(min_length=limits.SHORTEST_NAME, min_seen=limits.SHORTEST_NAME, max_length=limits.LONGEST_NAME),
        lengths=LengthRules(
            message=limits.LONGEST_TEXT,
            objection=limits.LONGEST_TEXT,
            answer=limits.LONGEST_ANSWER,
            address=limits.LONGEST_ADDRESS,
            reference=limits.LONGEST_REFERENCE,
            reason=limits.LONGEST_SHORT_TEXT,
        ),
        people=PeopleRules(max_people=limits.MOST_PEOPLE, max_length=limits.LONGEST_NAME),
        group=GroupRules(min_members=2, max_members=settings.group_most, max_named=limits.MOST_NAMED_MEMBERS),
        evidence=EvidenceRules(
            types=[AllowedFileType(media_type=name, suffixes=list(suffixes)) for name, suffixes in SENT_TYPES.items()],
            max_bytes=settings.max_upload_size,
            max_files=settings.max_uploads,
            max_files_of_case=MOST_FILES_OF_CASE,
            kept_hours=UNFILED_HOURS,
            renewable_days=UNFILED_DAYS,
        ),
        mobile=NumberRules(pattern=_MOBILE, example="09121234567", required=False, check_digit=False),
        national_id=NumberRules(
            pattern=_NATIONAL_ID, example="0012345679", required=settings.national_id_required, check_digit=True
        ),
        one_time_code_digits=limits.ONE_TIME_CODE_DIGITS,
        tracking_code_digits=16,
        happened_from=date_parsing.EARLIEST,
    )


def both(texts: Mapping[Language, str] | Mapping[str, str]) -> Bilingual:
    """A text by language."""
    by_name = {str(language): text for language, text in texts.items()}
    return Bilingual(fa=by_name["fa"], en=by_name["en"])


def _day(day: date) -> Bilingual:
    return Bilingual(fa=day_text(day, Language.FA), en=day_text(day, Language.EN))


def _today(today: date, promises: Promises | None, catalogue: Catalogue | None) -> OfficeDay:
    is_holiday = catalogue is not None and today in catalogue.holidays
    is_workday = None if catalogue is None else today.weekday() not in catalogue.weekend and not is_holiday
    return OfficeDay(
        day=today,
        text=_day(today),
        is_workday=promises.works_today if promises else is_workday,
        is_holiday=is_holiday,
        next_workday=promises.next_workday if promises else None,
        next_workday_text=_day(promises.next_workday) if promises else None,
    )


def _season(row: PublishedDuration) -> FiguresSeason:
    return FiguresSeason(since=row.since, until=row.until, name=season_name(row.since))


def season_name(since: date) -> Bilingual:
    """Of the Jalali season that begins on this day."""
    key = f"season_{(int(jalali.month(since)[5:]) - 1) // 3 + 1}"
    year = str(jalali.year(since))
    return both({language: _TEXTS.text(language, key, year=digits(year, language)) for language in Language})
