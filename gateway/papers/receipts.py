"""The text of a receipt: exactly what its signature covers."""

from __future__ import annotations

from functools import partial

from backbone.persian.date_text import moment_text
from contracts import tracking_codes
from contracts.vocabulary import Language
from gateway.papers.formatting import TEXTS, text
from gateway.papers.paper import Paper, Section, VerificationBlock
from gateway.papers.signatures import SignedReceipt
from texts.office import office
from texts.vocabulary import KIND_NAMES


def receipt_paper(receipt: SignedReceipt, language: Language, code: str | None = None) -> Paper:
    """The receipt's text. `code`: the tracking code, for a citizen who gets it on paper; the signature is not over it."""
    words = partial(text, language)
    with_code = [] if code is None else [(words("receipt_code"), tracking_codes.grouped(code).replace(" ", "-"))]
    return Paper(
        language=language,
        office=office().name[language],
        title=words("receipt"),
        facts=(),
        sections=(
            Section(paragraphs=(words("receipt_opening"),)),
            Section(
                facts=(
                    (words("kind"), KIND_NAMES[receipt.kind][language]),
                    (words("receipt_filed"), moment_text(receipt.filed_at, language)),
                    (words("receipt_number"), str(receipt.submission_id)),
                    *with_code,
                )
            ),
            Section(words("receipt_hash"), paragraphs=(receipt.content_hash, words("receipt_about"))),
        ),
    )


def receipt_verification(
    receipt: SignedReceipt, signature_line: str, language: Language, verify_url: str
) -> VerificationBlock:
    """`signature_line`: as `PaperSigner.sign_receipt` makes it; `verify_url`: of the page that verifies it."""
    words = partial(text, language)
    address = f"{verify_url}/{signature_line}"
    pages = TEXTS["pages"].in_language(language)
    return VerificationBlock(address, (words("check_receipt"), address), pages, receipt.filed_at.isoformat())
