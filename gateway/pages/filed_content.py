"""What a citizen filed, as a page shows it."""

from __future__ import annotations

import re

from contracts.gateway import AnswerValue
from contracts.intake import Ground, Question, QuestionType
from contracts.tracking import Attachment, FiledText
from gateway.pages import formatting
from gateway.pages.page_context import PageContext

Row = tuple[str, str]
"""A label and what was written."""


def answer_text(context: PageContext, question: Question, value: AnswerValue | None) -> str:
    """An answer in words; empty when there is none."""
    if value is None:
        return ""
    if question.type is QuestionType.DATE and isinstance(value, str):
        try:
            return formatting.day(context.language, value)
        except ValueError:  # it was a question of another type then
            return value
    if isinstance(value, bool):
        return context.text("yes" if value else "no")
    names = {option.value: context.name(option) for option in question.options}
    values = value if isinstance(value, list) else [str(value)]
    shown = context.text("list_comma").join(names.get(each, each) for each in values)
    return formatting.digits(context.language, shown) if question.type is QuestionType.NUMBER else shown


def filed_rows(context: PageContext, filed: FiledText, ground: Ground | None) -> list[Row]:
    """Everything that was filed with a text, but the text. A question is shown as it was asked that day, where that was kept; of
    one that is no more, and was not, the answer alone."""
    questions_of_form = [*(ground.questions if ground else ()), *filed.answered_questions]
    questions = {question.code: question for question in questions_of_form}
    rows = [
        (context.name(questions[code]), answer_text(context, questions[code], value))
        if code in questions
        else (
            context.text("written_answer"),
            context.text("list_comma").join(value if isinstance(value, list) else [str(value)]),
        )
        for code, value in filed.answers.items()
    ]
    if filed.address:
        rows.append((context.text("address_label"), filed.address))
    if filed.happened_on:
        rows.append((context.text("date_label"), formatting.day(context.language, filed.happened_on)))
    if filed.people:
        rows.append((context.text("people_label"), "\n".join(filed.people)))
    if filed.reference:
        rows.append((context.text("reference_label"), filed.reference))
    return rows


_NEUTRAL = re.compile(r"[a-z]+-[0-9]+(\.[a-z0-9]+)?")
"""What the office calls a file, whatever its sender's device called it, such as evidence-2.jpg."""


def file_title(context: PageContext, attachment: Attachment) -> str:
    """What an attachment is called: as its citizen's device called it, where that is known, else its kind and its number."""
    if attachment.file_name and not _NEUTRAL.fullmatch(attachment.file_name):
        return attachment.file_name
    number = attachment.number
    if attachment.media_type is None:  # not looked at yet
        return context.text("file_unknown", number=number)
    kind = attachment.media_type.partition("/")[0]
    return context.text(f"file_{kind}" if kind in ("image", "audio", "video") else "file_document", number=number)
