"""What a paper's seal vouches for, as a person reads it."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict

from backbone.persian.date_text import day_text, moment_text
from contracts.base import Answer, Moment
from contracts.vocabulary import Kind, Language, Outcome, Stage
from gateway.papers.issuing import VerifiedPaper
from gateway.papers.signatures import REFUSED, SignedLetter
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES, STAGE_NAMES

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


_LETTER: dict[str, Any] = {
    "number": "1405-000123-1",
    "case_number": "1405-000123",
    "issued_on": "2026-12-06",
    "issued_text": "۱۵ آذر ۱۴۰۵",
    "outcome": "upheld",
    "outcome_text": "وارد",
    "content_hash": _HASH,
    "in_force": True,
}


_RECEIPT: dict[str, Any] = {
    "submission_id": "0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11",
    "filed_at": "2026-11-23T08:30:00Z",
    "filed_text": "۲ آذر ۱۴۰۵، ساعت ۱۲:۰۰",
    "kind": "criticism",
    "kind_text": "انتقاد",
    "content_hash": _HASH,
}


class LetterFacts(Answer):
    """All that a letter's seal vouches for, and whether it still holds. `content_hash`: SHA-256 of the letter's text, which lies
    in the PDF as its attachment content.json. `in_force`: false when what it told was taken back or a later letter replaced it;
    null while that cannot be told."""

    number: str
    case_number: str
    issued_on: date
    issued_text: str
    outcome: Outcome | Literal["refused"]
    outcome_text: str
    content_hash: str
    in_force: bool | None

    model_config = ConfigDict(json_schema_extra={"examples": [_LETTER]})


class ReceiptFacts(Answer):
    """All that a receipt's seal vouches for."""

    submission_id: UUID
    filed_at: Moment
    filed_text: str
    kind: Kind
    kind_text: str
    content_hash: str

    model_config = ConfigDict(json_schema_extra={"examples": [_RECEIPT]})


class PaperView(Answer):
    """`genuine`: we signed just this; then one of `letter` and `receipt` says what. Else both are null."""

    genuine: bool
    letter: LetterFacts | None = None
    receipt: ReceiptFacts | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"genuine": True, "letter": _LETTER, "receipt": None}]})


def paper_view(verified: VerifiedPaper | None, language: Language) -> PaperView:
    """What a seal vouches for, for a person."""
    if verified is None:
        return PaperView(genuine=False)
    seal = verified.signed
    if isinstance(seal, SignedLetter):
        return PaperView(
            genuine=True,
            letter=LetterFacts.model_validate(
                {
                    "number": seal.number,
                    "case_number": seal.case_number,
                    "issued_on": seal.issued_on,
                    "issued_text": day_text(seal.issued_on, language),
                    "outcome": seal.outcome,
                    "outcome_text": outcome_text(seal.outcome, language),
                    "content_hash": seal.content_hash,
                    "in_force": verified.in_force,
                }
            ),
        )
    return PaperView(
        genuine=True,
        receipt=ReceiptFacts(
            submission_id=seal.submission_id,
            filed_at=seal.filed_at,
            filed_text=moment_text(seal.filed_at, language),
            kind=seal.kind,
            kind_text=KIND_NAMES[seal.kind][language],
            content_hash=seal.content_hash,
        ),
    )


def outcome_text(outcome: str, language: Language) -> str:
    """Of a decision, or that it was refused."""
    if outcome == REFUSED:
        return STAGE_NAMES[Stage.REFUSED][language]
    return OUTCOME_NAMES[Outcome(outcome)][language]
