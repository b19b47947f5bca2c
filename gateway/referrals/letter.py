"""The letter that goes with a referral: PDF/A, in one language, to the body. Who filed the case is not in it: that is a file of
its own, where it goes with it at all."""

from __future__ import annotations

from functools import partial

from backbone.persian.date_text import day_text
from contracts.referrals import ReferralDraft
from contracts.vocabulary import Language
from gateway.papers.formatting import TEXTS as PAPER_TEXTS
from gateway.papers.formatting import digits
from gateway.papers.paper import Paper, Section, VerificationBlock
from texts.loading import area
from texts.office import office
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES

TEXTS = area("referrals")


def referral_paper(draft: ReferralDraft, reason: str, identity: bool, language: Language) -> Paper:
    """The letter's text."""
    words, of_papers = partial(TEXTS.text, language), partial(PAPER_TEXTS.text, language)
    case, fa = draft.case, language is Language.FA
    unit = case.unit_name_fa if fa else case.unit_name_en or case.unit_name_fa
    ground = (case.ground_name_fa if fa else case.ground_name_en) or case.ground
    facts = [
        (of_papers("case_number"), digits(language, case.number)),
        (of_papers("kind"), KIND_NAMES[case.kind][language]),
        *([(of_papers("unit"), unit)] if unit else []),
        (of_papers("ground"), ground),
        (of_papers("filed"), day_text(case.filed_at, language)),
    ]
    if case.outcome is not None:
        facts.append((of_papers("outcome"), OUTCOME_NAMES[case.outcome][language]))
    body = draft.body.name_fa if fa else draft.body.name_en
    count = digits(language, str(len(draft.files)))
    sections = [
        Section(paragraphs=(words("to", body=body), words("opening"))),
        Section(facts=tuple(facts)),
        Section(words("why"), paragraphs=(reason,)),
        Section(words("filed_text"), paragraphs=(case.text,)),
        *([Section(words("decision"), paragraphs=(case.reasons,))] if case.reasons else []),
        Section(
            words("enclosed"),
            paragraphs=(words("files", count=count), words("with_identity" if identity else "without_identity")),
        ),
    ]
    return Paper(
        language=language,
        office=office().name[language],
        title=words("title"),
        facts=(
            (of_papers("letter_date"), day_text(draft.prepared_at, language)),
            (words("referral_number"), str(draft.referral_id)[:8]),
        ),
        sections=tuple(sections),
        closing=(of_papers("with_respect"), of_papers("signed_head"), office().name[language]),
    )


def referral_mark(draft: ReferralDraft, paper: Paper, language: Language) -> VerificationBlock:
    """The QR code: which referral, and the hash of what is printed. What is signed is the manifest beside the letter."""
    words = partial(TEXTS.text, language)
    mark = f"peygir-referral:{draft.referral_id}:{paper.content_hash()}"
    notes = (words("check"), PAPER_TEXTS.text(language, "content_hash"), paper.content_hash())
    pages = PAPER_TEXTS["pages"].in_language(language)
    return VerificationBlock(mark, notes, pages, draft.prepared_at.isoformat(), office().emblem)
