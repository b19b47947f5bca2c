"""What a citizen wrote, as a page shows it again."""

from __future__ import annotations

import re

from contracts.gateway import AnswerValue
from contracts.intake import Ground, Question, QuestionType
from contracts.tracking import Attachment, FiledText
from gateway.pages import words
from gateway.pages.visit import Visit

Row = tuple[str, str]
"""A label and what was written."""


def answer_text(visit: Visit, question: Question, value: AnswerValue | None) -> str:
    """An answer in words; empty when there is none."""
    if value is None:
        return ""
    if question.type is QuestionType.DATE and isinstance(value, str):
        try:
            return words.day(visit.language, value)
        except ValueError:  # it was a question of another type then
            return value
    if isinstance(value, bool):
        return visit.say("yes" if value else "no")
    names = {option.value: visit.name(option) for option in question.options}
    values = value if isinstance(value, list) else [str(value)]
    shown = visit.say("list_comma").join(names.get(one, one) for one in values)
    return words.digits(visit.language, shown) if question.type is QuestionType.NUMBER else shown


def filed_rows(visit: Visit, filed: FiledText, ground: Ground | None) -> list[Row]:
    """Everything that was filed with a text, but the text. Of a question that is no more, its answer as it was kept."""
    questions = {question.code: question for question in ground.questions} if ground else {}
    rows = [
        (visit.name(questions[code]), answer_text(visit, questions[code], value))
        if code in questions
        else (
            visit.say("written_answer"),
            visit.say("list_comma").join(value if isinstance(value, list) else [str(value)]),
        )
        for code, value in filed.answers.items()
    ]
    if filed.address:
        rows.append((visit.say("address_label"), filed.address))
    if filed.happened_on:
        rows.append((visit.say("date_label"), words.day(visit.language, filed.happened_on)))
    if filed.people:
        rows.append((visit.say("people_label"), "\n".join(filed.people)))
    if filed.reference:
        rows.append((visit.say("reference_label"), filed.reference))
    return rows


_NEUTRAL = re.compile(r"[a-z]+-[0-9]+(\.[a-z0-9]+)?")
"""What the office calls a file, whatever its sender's device called it, such as evidence-2.jpg."""


def file_title(visit: Visit, attachment: Attachment) -> str:
    """What an attachment is called: as its citizen's device called it, where that is known, else its kind and its number."""
    if attachment.file_name and not _NEUTRAL.fullmatch(attachment.file_name):
        return attachment.file_name
    number = attachment.number
    if attachment.media_type is None:  # not looked at yet
        return visit.say("file_unknown", number=number)
    kind = attachment.media_type.partition("/")[0]
    return visit.say(f"file_{kind}" if kind in ("image", "audio", "video") else "file_document", number=number)
