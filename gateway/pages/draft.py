"""A submission on its way through the form: what was entered so far, which step comes next, what is still wrong."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from uuid import UUID

import jdatetime
from pydantic import BaseModel, Field

from backbone.persian import normalisation as persian
from contracts.characters import latin_digits
from contracts.gateway import AnswerValue
from contracts.intake import Catalogue, Ground, Question, QuestionType
from contracts.vocabulary import Kind, Language
from gateway.pages.form_session_store import LIFETIME
from gateway.submissions.catalogue_cache import reached_questions
from gateway.submissions.receipts import payload_of

KEPT = LIFETIME  # seconds


class SentFile(BaseModel):
    """`size` in bytes; `name` as the visitor's device called it."""

    id: str
    name: str
    size: int


class Draft(BaseModel):
    """`done`: steps gone through. `key`: the submission's Idempotency-Key. `happened_on`: ISO, Gregorian.
    `under`, `sought`: where the visitor is in the tree of units. `anonymous` None: not yet asked."""

    key: str = Field(default_factory=lambda: secrets.token_urlsafe(24))
    kind: Kind
    done: list[str] = []
    unit: str | None = None
    ground: str | None = None
    answers: dict[str, AnswerValue] = {}
    text: str = ""
    happened_on: str | None = None
    address: str = ""
    reference: str = ""
    people: list[str] = []
    files: list[SentFile] = []
    anonymous: bool | None = None
    mobile: str | None = None
    name: str = ""
    under: str | None = None
    sought: str = ""


class SignedIn(BaseModel):
    """A citizen's tokens, and the mobile they stand for."""

    access_token: str
    refresh_token: str
    mobile: str
    expires_at: float


class Done(BaseModel):
    """What the code page and the receipt show."""

    code: str
    kind: Kind
    anonymous: bool
    receipt_id: str
    filed_at: str
    content_hash: str
    signature: str
    unit_name: str
    files: int
    elsewhere: str = ""

    @property
    def payload(self) -> str:
        """The receipt's, as it was signed."""
        return payload_of(UUID(self.receipt_id), datetime.fromisoformat(self.filed_at), self.kind, self.content_hash)


class OpenCase(BaseModel):
    """The case that this browser looks at: by code, or by id for the signed-in citizen."""

    code: str | None = None
    case_id: UUID | None = None


class AnswerDraft(BaseModel):
    """An answer with its files on the way. `about`: the question it is for. `key`: the Idempotency-Key."""

    about: str = ""
    key: str = Field(default_factory=lambda: secrets.token_urlsafe(24))
    text: str = ""
    files: list[SentFile] = []


_SECTIONS: dict[str, tuple[str, ...]] = {
    "who": ("mobile", "code", "name", "identity"),
    "about": ("unit", "ground"),
    "happened": ("text", "place", "date", "people", "reference"),
    "evidence": ("evidence",),
    "review": ("review",),
}
"""The parts of the form, each of some pages; how many pages depends on the answers, how many parts does not."""
_QUESTION = "questions/"


def question_step(code: str) -> str:
    return _QUESTION + code


def is_question(step: str) -> bool:
    """Whether a step is one question of a ground."""
    return step.startswith(_QUESTION)


def sections(kind: Kind) -> list[str]:
    """The parts of the form in order."""
    if kind is Kind.COMPLAINT:
        return ["who", "about", "happened", "evidence", "review"]
    return ["about", "happened", "evidence", "who", "review"]


def section_of(step: str) -> str:
    """The part of the form that a page belongs to."""
    return next((section for section, steps in _SECTIONS.items() if step in steps), "about")


def steps(draft: Draft, catalogue: Catalogue | None, signed_in: bool) -> list[str]:
    """The pages of this submission in order, all but the kind."""
    who = ["name"] if signed_in else ["mobile", "code", "name"]
    ground = ground_of(draft, catalogue)
    reached = reached_questions(ground, draft.answers) if ground else []
    questions = [question_step(question.code) for question in reached]
    about = ["unit", "ground", *questions, *_SECTIONS["happened"], "evidence"]
    if draft.kind is Kind.COMPLAINT:
        return [*who, *about, "review"]
    return [*about, "identity", *(who if draft.anonymous is False else []), "review"]


def next_step(draft: Draft, catalogue: Catalogue | None, signed_in: bool) -> str:
    """The first step that was not gone through; the review when all were."""
    undone = (step for step in steps(draft, catalogue, signed_in) if step not in draft.done)
    return next(undone, "review")


def with_kind(draft: Draft | None, kind: Kind) -> Draft:
    """The draft for this kind; what does not fit it is asked again."""
    if draft is None or draft.kind is kind:
        return draft or Draft(kind=kind)
    kept = [step for step in draft.done if step not in ("ground", "identity") and not is_question(step)]
    update: dict[str, object] = {"kind": kind, "ground": None, "answers": {}, "anonymous": None, "done": kept}
    return draft.model_copy(update=update)


def with_arrived(draft: Draft, before: list[SentFile], sent: list[SentFile]) -> Draft:
    """The draft with those files of `sent` that were not there `before`."""
    return draft.model_copy(update={"files": [*draft.files, *(file for file in sent if file not in before)]})


def ground_of(draft: Draft, catalogue: Catalogue | None) -> Ground | None:
    """The ground chosen, while the catalogue offers it for this kind."""
    offered = catalogue.grounds if catalogue else []
    return next((ground for ground in offered if ground.code == draft.ground and draft.kind in ground.kinds), None)


def grounds_for(kind: Kind, catalogue: Catalogue | None) -> list[Ground]:
    return [ground for ground in (catalogue.grounds if catalogue else []) if kind in ground.kinds]


def read_answer(question: Question, values: list[str]) -> tuple[AnswerValue | None, str | None]:
    """The answer in the question's type, or the key of the text of what is wrong with it; (None, None): left out. Of a day,
    what was typed."""
    typed = [value.strip() for value in values if not persian.is_blank(value)]
    if not typed:
        return None, "need_field" if question.required else None
    if question.type is QuestionType.CHOICES:
        options = {option.value for option in question.options}
        return (typed, None) if set(typed) <= options else (None, "wrong_choice")
    if question.type is QuestionType.CHOICE:
        options = {option.value for option in question.options}
        return (typed[0], None) if typed[0] in options else (None, "wrong_choice")
    if question.type is QuestionType.NUMBER:
        digits = latin_digits(typed[0]).replace("٬", "").replace(",", "").replace("٫", ".")
        try:
            number = float(digits)
        except ValueError:
            return None, "wrong_number"
        if number != number or abs(number) > 1e15:
            return None, "wrong_number"
        return (int(number) if number == int(number) else number), None
    return typed[0], None


def date_parts(iso: str, language: Language) -> tuple[str, str, str]:
    """Day, month and year as the visitor would type them."""
    day = date.fromisoformat(iso)
    if language is Language.EN:
        return str(day.day), str(day.month), str(day.year)
    shown = jdatetime.date.fromgregorian(date=day)
    return tuple(persian.persian_digits(str(part)) for part in (shown.day, shown.month, shown.year))  # type: ignore[return-value]  # three of three
