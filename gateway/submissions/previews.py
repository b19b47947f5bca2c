"""A submission before it is filed: as it will be shown, to whom it goes, and by when it is decided."""

from __future__ import annotations

from datetime import date

from backbone.persian.date_text import day_text
from contracts.base import Answer, GroundCode, UnitCode
from contracts.errors import PeygirError
from contracts.gateway import AnswerValue
from contracts.intake import Ground, Question, QuestionType
from contracts.promises import ListPromises, Promise, Promises
from contracts.vocabulary import Kind, Language
from gateway.cases.views import elsewhere_text, next_steps
from gateway.rabbit.client import RabbitClient
from gateway.submissions.catalogue_cache import CatalogueCache
from gateway.submissions.filing import CheckedSubmission
from gateway.submissions.substitutes import Substitutes
from texts.office import office
from texts.vocabulary import KIND_NAMES


class AnsweredQuestion(Answer):
    """`value`: as it is stored; `value_text`: as a person reads it."""

    code: str
    question: str
    value: AnswerValue
    value_text: str


class PreviewedPlace(Answer):
    latitude: float | None
    longitude: float | None
    address: str | None


class SubmissionPreview(Answer):
    """`…_text`, `…_name`: in the caller's language. `unit_trail`: the names of the units above, the highest first.

    `handled_by`: who reads it. `elsewhere`: where else to turn, while nobody may handle what is about the inspection itself.
    `first_reading_days`, `decision_days`: working days that are promised, `expected_on` the day for what is filed now; None while
    the service that knows does not answer. `code_by_sms`: the tracking code also comes by SMS. `next_steps`: as after filing.
    """

    kind: Kind
    kind_text: str
    unit: UnitCode
    unit_name: str
    unit_trail: list[str]
    ground: GroundCode
    ground_name: str
    handled_by: str
    elsewhere: str | None
    first_reading_days: int | None
    decision_days: int | None
    expected_on: date | None
    expected_text: str | None
    anonymous: bool
    name: str | None
    code_by_sms: bool
    text: str
    answers: list[AnsweredQuestion]
    happened_on: date | None
    happened_text: str | None
    place: PreviewedPlace | None
    reference: str | None
    people: list[str]
    visit_wanted: bool
    uploads: list[str]
    group_members: int | None
    next_steps: list[str]


class Previews:
    """Makes them of submissions that were checked."""

    def __init__(self, rabbit: RabbitClient, catalogue_cache: CatalogueCache, substitutes: Substitutes) -> None:
        self._rabbit, self._catalogue_cache, self._substitutes = rabbit, catalogue_cache, substitutes

    async def of(self, checked: CheckedSubmission, language: Language) -> SubmissionPreview:
        """Without a promise while tracking does not answer."""
        body, identity = checked.body, checked.person.identity
        promise = await self._promise(body.kind, body.ground)
        elsewhere = elsewhere_text(language) if body.unit in self._substitutes.uncovered else None
        by_sms = checked.person.notified_mobile is not None
        ground = self._catalogue_cache.grounds.get(body.ground)
        place = body.place
        return SubmissionPreview(
            kind=body.kind,
            kind_text=KIND_NAMES[body.kind][language],
            unit=body.unit,
            unit_name=self._unit_name(body.unit, language),
            unit_trail=self._trail(body.unit, language),
            ground=body.ground,
            ground_name=_name(ground, language) if ground else body.ground,
            handled_by=office().name[language],
            elsewhere=elsewhere,
            first_reading_days=promise.first_reading_days if promise else None,
            decision_days=promise.decision_days if promise else None,
            expected_on=promise.decision_on if promise else None,
            expected_text=day_text(promise.decision_on, language) if promise else None,
            anonymous=identity is None and checked.person.citizen_id is None,
            name=identity.name if identity else None,
            code_by_sms=by_sms,
            text=body.text,
            answers=_answered(ground, body.answers, language) if ground else [],
            happened_on=body.happened_on,
            happened_text=day_text(body.happened_on, language) if body.happened_on else None,
            place=PreviewedPlace(**place.model_dump()) if place else None,
            reference=body.reference,
            people=body.people,
            visit_wanted=body.visit_wanted,
            uploads=body.uploads,
            group_members=body.group.members if body.group else None,
            next_steps=[*next_steps(by_sms, language), *([elsewhere] if elsewhere else [])],
        )

    async def _promise(self, kind: Kind, ground: str) -> Promise | None:
        try:
            promises = await self._rabbit.call("tracking", "list_promises", ListPromises(ground=ground), Promises)
        except PeygirError:
            return None
        return next((item for item in promises.items if item.kind is kind), None)

    def _unit_name(self, code: str, language: Language) -> str:
        unit = self._catalogue_cache.units.get(code)
        return code if unit is None else unit.name_fa if language is Language.FA else unit.name_en

    def _trail(self, code: str, language: Language) -> list[str]:
        names: list[str] = []
        unit = self._catalogue_cache.units.get(code)
        while unit is not None and unit.parent is not None and len(names) < 20:
            names.insert(0, self._unit_name(unit.parent, language))
            unit = self._catalogue_cache.units.get(unit.parent)
        return names


def _name(named: Ground | Question, language: Language) -> str:
    return named.name_fa if language is Language.FA else named.name_en


def _answered(ground: Ground, answers: dict[str, AnswerValue], language: Language) -> list[AnsweredQuestion]:
    """In the order of the questions."""
    return [
        AnsweredQuestion(
            code=question.code,
            question=_name(question, language),
            value=answers[question.code],
            value_text=_value_text(question, answers[question.code], language),
        )
        for question in ground.questions
        if answers.get(question.code) not in (None, "", [])
    ]


def _value_text(question: Question, value: AnswerValue, language: Language) -> str:
    options = {
        option.value: option.name_fa if language is Language.FA else option.name_en for option in question.options
    }
    if isinstance(value, list):
        return ("، " if language is Language.FA else ", ").join(options.get(item, item) for item in value)
    if isinstance(value, str) and question.type is QuestionType.DATE:
        return day_text(date.fromisoformat(value), language)
    return options.get(str(value), str(value))
