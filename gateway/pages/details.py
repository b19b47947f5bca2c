"""What belongs to the story and may be left out, each on a page of its own: the ground's questions, place, day, people and
file number."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from backbone.persian import date_parsing as dates
from backbone.persian import jalali
from backbone.persian import normalisation as persian
from contracts.base import now
from contracts.characters import latin_digits
from contracts.gateway import AnswerValue
from contracts.intake import Ground, Question, QuestionType
from gateway.pages import draft as drafts
from gateway.pages import words
from gateway.pages.draft import Draft
from gateway.pages.filing import LONGEST_NAME, MOST_PEOPLE, _catalogue, _draft, _misplaced, _on, _page
from gateway.pages.visit import Visit
from gateway.submissions.catalogue_cache import reached_questions

LONGEST_ADDRESS, LONGEST_REFERENCE, LONGEST_ANSWER = 500, 100, 1_000  # characters
DATE_PARTS = ("day", "month", "year")


async def question(visit: Visit) -> Response:
    """One question of the ground. Answers that it leads away from are forgotten."""
    code = visit.request.path_params["code"]
    step = drafts.question_step(code)
    draft = _draft(visit)
    if away := _misplaced(visit, draft, step):
        return away
    assert draft is not None
    ground = drafts.ground_of(draft, _catalogue(visit))
    assert ground is not None
    this = next(one for one in ground.questions if one.code == code)
    field = f"q_{code}"
    if visit.request.method == "POST":
        value = None if _is_skipped(visit, this) else _answer(visit, this, field)
        if not visit.errors:
            draft = _with_answer(draft, ground, code, value)
            if gone := _on(visit, draft, step, field):
                return gone
    shown = visit.form.get(field) or _as_typed(visit, this, draft.answers.get(code))
    about = visit.say("questions_about", ground=visit.name(ground))
    return _page(visit, draft, step, "question", visit.name(this), question=this, field=field, shown=shown, about=about)


def _with_answer(draft: Draft, ground: Ground, code: str, value: AnswerValue | None) -> Draft:
    """The draft with this answer. What it leads away from is forgotten, and asked anew should it lead back there."""
    given = {**draft.answers, code: value}
    wanted = [one.code for one in reached_questions(ground, given)]
    answers = {one: given[one] for one in wanted if given.get(one) is not None}
    steps = {drafts.question_step(one) for one in wanted}
    done = [step for step in draft.done if not drafts.is_question(step) or step in steps]
    return draft.model_copy(update={"answers": answers, "done": done})


def _is_skipped(visit: Visit, question: Question) -> bool:
    return "skip" in visit.form and not question.required


def _answer(visit: Visit, question: Question, field: str) -> AnswerValue | None:
    typed = [value.strip() for value in visit.form.get(field, []) if not persian.is_blank(value)]
    if typed and question.type is QuestionType.DATE:
        return read_day(visit, field, typed[0])
    if any(len(value) > LONGEST_ANSWER for value in typed):
        visit.wrong(field, "too_long", limit=LONGEST_ANSWER)
        return None
    value, problem = drafts.read_answer(question, typed)
    if problem is not None:
        visit.wrong(field, problem, label=visit.name(question))
    return value


def _as_typed(visit: Visit, question: Question, value: AnswerValue | None) -> list[str]:
    """An answer as the visitor would type it."""
    if value is None:
        return []
    if question.type is QuestionType.DATE:
        return [words.day(visit.language, str(value))]
    if question.type is QuestionType.NUMBER:
        return [words.digits(visit.language, value)]
    return value if isinstance(value, list) else [str(value)]


async def place(visit: Visit) -> Response:
    return await _line(visit, "place", "address", LONGEST_ADDRESS)


async def reference(visit: Visit) -> Response:
    return await _line(visit, "reference", "reference", LONGEST_REFERENCE)


async def _line(visit: Visit, step: str, field: str, longest: int) -> Response:
    """A page of one line, kept in the draft's `field`."""
    draft = _draft(visit)
    if away := _misplaced(visit, draft, step):
        return away
    assert draft is not None
    if visit.request.method == "POST":
        typed = "" if "skip" in visit.form else visit.line(field)
        draft = draft.model_copy(update={field: typed})
        if len(typed) > longest:
            visit.wrong(field, "too_long", limit=longest)
        elif gone := _on(visit, draft, step, field):
            return gone
    return _page(visit, draft, step, step, visit.say(f"{step}_title"))


async def people(visit: Visit) -> Response:
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "people"):
        return away
    assert draft is not None
    if visit.request.method == "POST":
        lines = [] if "skip" in visit.form else visit.typed("people").split("\n")
        names = [line.strip() for line in lines if not persian.is_blank(line)]
        draft = draft.model_copy(update={"people": names})
        if len(names) > MOST_PEOPLE or any(len(name) > LONGEST_NAME for name in names):
            visit.wrong("people", "too_many_people", count=MOST_PEOPLE)
        elif gone := _on(visit, draft, "people", "people"):
            return gone
    return _page(visit, draft, "people", "people", visit.say("people_title"))


async def date(visit: Visit) -> Response:
    """Day, month and year have a box each; a whole date in any of them is understood too."""
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "date"):
        return away
    assert draft is not None
    typed = {part: visit.typed(part) for part in DATE_PARTS}
    if visit.request.method == "POST":
        written = {} if "skip" in visit.form else {part: text for part, text in typed.items() if text}
        day = read_day(visit, "day", _whole(written)) if written else None
        if not visit.errors:
            draft = draft.model_copy(update={"happened_on": day})
            if gone := _on(visit, draft, "date", "day"):
                return gone
    elif draft.happened_on and not any(typed.values()):
        typed = dict(zip(DATE_PARTS, drafts.date_parts(draft.happened_on, visit.language), strict=True))
    return _page(visit, draft, "date", "date", visit.say("date_title"), typed=typed)


def _whole(written: dict[str, str]) -> str:
    """The boxes say which number is the month, so that 3, 4 and 2026 in them mean one day."""
    parts = {part: latin_digits(text) for part, text in written.items()}
    if len(parts) == 3 and all(text.isdigit() for text in parts.values()) and len(parts["year"]) == 4:
        return f"{parts['year']}-{parts['month']}-{parts['day']}"
    return " / ".join(written.values())


def read_day(visit: Visit, field: str, typed: str) -> str | None:
    """The day on which something happened, as ISO; None with an error beside the field."""
    today = jalali.today(now())
    found = dates.read(typed)
    problem = found.problem if found.day is None else dates.past_day_problem(found.day, today)
    if problem is None and found.day is not None:
        return found.day.isoformat()
    meanings = visit.say("or").join(words.day(visit.language, day) for day in found.meanings)
    bounds = {"first": words.day(visit.language, dates.EARLIEST), "last": words.day(visit.language, today)}
    values: dict[str, dict[str, Any]] = {
        "ambiguous_date": {"meanings": meanings},
        "too_long_ago": bounds,
        "in_the_future": {"last": bounds["last"]},
    }
    visit.wrong(field, f"wrong_{problem}", **values.get(str(problem), {}))
    return None
