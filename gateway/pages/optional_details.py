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
from contracts.text_limits import LONGEST_NAME, MOST_PEOPLE
from gateway.pages import draft as drafts
from gateway.pages import formatting
from gateway.pages.draft import Draft
from gateway.pages.filing import (
    advance,
    current_catalogue,
    current_draft,
    draft_step,
    redirect_if_not_due,
    step_page,
)
from gateway.pages.page_context import PageContext
from gateway.submissions.catalogue_cache import reached_questions

LONGEST_ADDRESS, LONGEST_REFERENCE, LONGEST_ANSWER = 500, 100, 1_000  # characters
DATE_PARTS = ("day", "month", "year")


async def question(context: PageContext) -> Response:
    """One question of the ground. Answers that it leads elsewhere from are forgotten."""
    code = context.request.path_params["code"]
    step = drafts.question_step(code)
    draft = current_draft(context)
    if elsewhere := redirect_if_not_due(context, draft, step):
        return elsewhere
    assert draft is not None
    ground = drafts.ground_of(draft, current_catalogue(context))
    assert ground is not None
    this_question = next(each for each in ground.questions if each.code == code)
    field = f"q_{code}"
    if context.request.method == "POST":
        value = None if _is_skipped(context, this_question) else _answer(context, this_question, field)
        if not context.errors:
            draft = _with_answer(draft, ground, code, value)
            if following_page := advance(context, draft, step, field):
                return following_page
    shown = context.form.get(field) or _as_typed(context, this_question, draft.answers.get(code))
    about = context.text("questions_about", ground=context.name(ground))
    return step_page(
        context,
        draft,
        step,
        "question",
        context.name(this_question),
        question=this_question,
        field=field,
        shown=shown,
        about=about,
    )


def _with_answer(draft: Draft, ground: Ground, code: str, value: AnswerValue | None) -> Draft:
    """The draft with this answer. What it leads away from is forgotten, and asked anew should it lead back there."""
    answers = {**draft.answers, code: value}
    reached = [question.code for question in reached_questions(ground, answers)]
    steps = {drafts.question_step(each) for each in reached}
    done = [step for step in draft.done if not drafts.is_question(step) or step in steps]
    kept = {each: answers[each] for each in reached if answers.get(each) is not None}
    return draft.model_copy(update={"answers": kept, "done": done})


def _is_skipped(context: PageContext, question: Question) -> bool:
    return "skip" in context.form and not question.required


def _answer(context: PageContext, question: Question, field: str) -> AnswerValue | None:
    typed = [value.strip() for value in context.form.get(field, []) if not persian.is_blank(value)]
    if typed and question.type is QuestionType.DATE:
        return read_day(context, field, typed[0])
    if any(len(value) > LONGEST_ANSWER for value in typed):
        context.add_error(field, "too_long", limit=LONGEST_ANSWER)
        return None
    value, problem = drafts.read_answer(question, typed)
    if problem is not None:
        context.add_error(field, problem, label=context.name(question))
    return value


def _as_typed(context: PageContext, question: Question, value: AnswerValue | None) -> list[str]:
    """An answer as the visitor would type it."""
    if value is None:
        return []
    if question.type is QuestionType.DATE:
        return [formatting.day(context.language, str(value))]
    if question.type is QuestionType.NUMBER:
        return [formatting.digits(context.language, value)]
    return value if isinstance(value, list) else [str(value)]


async def place(context: PageContext) -> Response:
    return await _line(context, "place", "address", LONGEST_ADDRESS)


async def reference(context: PageContext) -> Response:
    return await _line(context, "reference", "reference", LONGEST_REFERENCE)


async def _line(context: PageContext, step: str, field: str, longest: int) -> Response:
    """A page of one line, kept in the draft's `field`."""
    draft = current_draft(context)
    if elsewhere := redirect_if_not_due(context, draft, step):
        return elsewhere
    assert draft is not None
    if context.request.method == "POST":
        typed = "" if "skip" in context.form else context.field_line(field)
        draft = draft.model_copy(update={field: typed})
        if len(typed) > longest:
            context.add_error(field, "too_long", limit=longest)
        elif following_page := advance(context, draft, step, field):
            return following_page
    return step_page(context, draft, step, step, context.text(f"{step}_title"))


@draft_step("people")
async def people(context: PageContext, draft: Draft) -> Response:
    if context.request.method == "POST":
        lines = [] if "skip" in context.form else context.field_value("people").split("\n")
        names = [line.strip() for line in lines if not persian.is_blank(line)]
        draft = draft.model_copy(update={"people": names})
        if len(names) > MOST_PEOPLE or any(len(name) > LONGEST_NAME for name in names):
            context.add_error("people", "too_many_people", count=MOST_PEOPLE)
        elif following_page := advance(context, draft, "people", "people"):
            return following_page
    return step_page(context, draft, "people", "people", context.text("people_title"))


@draft_step("date")
async def date(context: PageContext, draft: Draft) -> Response:
    """Day, month and year have a box each; a whole date in any of them is understood too."""
    typed = {part: context.field_value(part) for part in DATE_PARTS}
    if context.request.method == "POST":
        written = {} if "skip" in context.form else {part: text for part, text in typed.items() if text}
        day = read_day(context, "day", _date_of_parts(written)) if written else None
        if not context.errors:
            draft = draft.model_copy(update={"happened_on": day})
            if following_page := advance(context, draft, "date", "day"):
                return following_page
    elif draft.happened_on and not any(typed.values()):
        typed = dict(zip(DATE_PARTS, drafts.date_parts(draft.happened_on, context.language), strict=True))
    return step_page(context, draft, "date", "date", context.text("date_title"), typed=typed)


def _date_of_parts(written: dict[str, str]) -> str:
    """The boxes show which number is the month, so that 3, 4 and 2026 in them mean one day."""
    parts = {part: latin_digits(text) for part, text in written.items()}
    if len(parts) == 3 and all(text.isdigit() for text in parts.values()) and len(parts["year"]) == 4:
        return f"{parts['year']}-{parts['month']}-{parts['day']}"
    return " / ".join(written.values())


def read_day(context: PageContext, field: str, typed: str) -> str | None:
    """The day on which something happened, as ISO; None with an error beside the field."""
    today = jalali.today(now())
    date_read = dates.read(typed)
    problem = date_read.problem if date_read.day is None else dates.past_day_problem(date_read.day, today)
    if problem is None and date_read.day is not None:
        return date_read.day.isoformat()
    meanings = context.text("or").join(formatting.day(context.language, day) for day in date_read.meanings)
    bounds = {
        "first": formatting.day(context.language, dates.EARLIEST),
        "last": formatting.day(context.language, today),
    }
    values: dict[str, dict[str, Any]] = {
        "ambiguous_date": {"meanings": meanings},
        "too_long_ago": bounds,
        "in_the_future": {"last": bounds["last"]},
    }
    context.add_error(field, f"wrong_{problem}", **values.get(str(problem), {}))
    return None
