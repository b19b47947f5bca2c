"""What is printed on a receipt: just what its signature vouches for."""

from __future__ import annotations

from functools import partial

from contracts.vocabulary import Language
from gateway.cases.views import moment_text
from gateway.papers.formatting import TEXTS, text
from gateway.papers.paper import Paper, Section, Stamp
from gateway.papers.signatures import ReceiptSeal
from texts.office import office
from texts.vocabulary import KIND_NAMES


def receipt_paper(told: ReceiptSeal, language: Language) -> Paper:
    """The receipt's words."""
    say = partial(text, language)
    return Paper(
        language=language,
        office=office().name[language],
        title=say("receipt"),
        facts=(),
        sections=(
            Section(paragraphs=(say("receipt_opening"),)),
            Section(
                facts=(
                    (say("kind"), KIND_NAMES[told.kind][language]),
                    (say("receipt_filed"), moment_text(told.filed_at, language)),
                    (say("receipt_number"), str(told.submission_id)),
                )
            ),
            Section(say("receipt_hash"), paragraphs=(told.content_hash, say("receipt_about"))),
        ),
    )


def receipt_stamp(told: ReceiptSeal, seal: str, language: Language, verify: str) -> Stamp:
    """`seal` as `Seals.of_receipt` gives it; `verify`: the address of the page that checks it."""
    say = partial(text, language)
    address = f"{verify}/{seal}"
    return Stamp(
        address, (say("check_receipt"), address), TEXTS["pages"].in_language(language), told.filed_at.isoformat()
    )
