"""The text of a letter (DOMAIN: The life of a case), in one language. It never contains the tracking code, and the citizen's
name only in the copy that they read themselves, signed in (docs/adr/0011)."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from backbone.persian import jalali
from backbone.persian.date_text import day_text
from contracts.errors import Unavailable
from contracts.letters import Letter
from contracts.tracking import CitedArticle
from contracts.vocabulary import Language
from gateway.cases.views import ground_name, refusal_text
from gateway.papers.formatting import TEXTS, digits, text
from gateway.papers.paper import Paper, Section, VerificationBlock
from gateway.papers.signatures import REFUSED, PaperSigner, SignedLetter
from gateway.submissions.catalogue_cache import CatalogueCache
from texts.loading import area
from texts.office import office
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES


def letter_paper(
    letter: Letter, language: Language, catalogue_cache: CatalogueCache, addressee: str | None = None
) -> Paper:
    """The letter's text. `addressee`: the citizen's name, where it is known and the reader is this citizen. Unavailable while
    the gateway has no catalogue: a letter names its ground."""
    ground = ground_name(letter.ground, language, catalogue_cache)
    if ground is None:
        raise Unavailable(retry_after=5)
    words = partial(text, language)
    filed = _day(letter.filed_at, language)
    variant = _variant(letter)
    unit = letter.unit_name_fa if language is Language.FA else letter.unit_name_en or letter.unit_name_fa
    facts = [
        (words("case_number"), digits(language, letter.case_number)),
        (words("kind"), KIND_NAMES[letter.kind][language]),
    ]
    if unit:
        facts.append((words("unit"), unit))
    facts += [(words("ground"), ground), (words("filed"), filed)]
    greeting = words("greeting_named", name=addressee) if addressee else words("greeting")
    sections = [Section(paragraphs=(greeting, words(f"opening_{variant}", filed=filed)))]
    if letter.outcome is not None:
        facts.append((words("outcome"), OUTCOME_NAMES[letter.outcome][language]))
        sections += [Section(facts=tuple(facts)), *_decision(letter, language)]
    else:
        if (reason := refusal_text(letter, language, catalogue_cache.refusal_reasons)) is not None:
            facts.append((words("reason"), reason))
        sections += [Section(facts=tuple(facts)), *_refusal(letter, language)]
    return Paper(
        language=language,
        office=office().name[language],
        title=words(f"letter_{variant}"),
        facts=(
            *_registry_number("registry_number", letter.registry_number, language),
            (words("letter_date"), _day(letter.issued_at, language)),
            (words("letter_number"), digits(language, letter.number)),
            *_registry_number("replaces_letter", letter.replaces, language),
        ),
        sections=tuple(sections),
        closing=(
            words("with_respect"),
            words("signed_head" if letter.approved else "signed_for_head"),
            office().name[language],
        ),
    )


def letter_verification(
    letter: Letter, paper: Paper, language: Language, signer: PaperSigner, verify_url: str
) -> VerificationBlock:
    """The letter's signature. `verify_url`: of the page that verifies it."""
    signature_line = signer.sign_letter(
        SignedLetter(
            letter.number,
            letter.case_number,
            jalali.today(letter.issued_at),
            letter.outcome or REFUSED,
            paper.content_hash(),
        )
    )
    words = partial(text, language)
    address = f"{verify_url}/{signature_line}"
    notes = (words("check_letter"), address, words("content_hash"), paper.content_hash())
    pages = TEXTS["pages"].in_language(language)
    return VerificationBlock(address, notes, pages, letter.issued_at.isoformat())


def _registry_number(label: str, registry_number: str | None, language: Language) -> tuple[tuple[str, str], ...]:
    """A number of the secretariat as offices write it: year, the office's letter, serial number."""
    if registry_number is None:
        return ()
    year, serial = registry_number.split("/")
    number = text(language, "registry_form", year=digits(language, year), serial=digits(language, serial))
    return ((text(language, label), number),)


def _variant(letter: Letter) -> str:
    if letter.outcome is None:
        return "refused"
    return "final" if letter.final else "decided"


def _decision(letter: Letter, language: Language) -> list[Section]:
    words = partial(text, language)
    sections = [Section(words("reasons"), paragraphs=(letter.reasons or "",))]
    if letter.articles:
        sections.append(
            Section(words("articles"), paragraphs=tuple(_cited(article, language) for article in letter.articles))
        )
    if letter.recommended_until:
        separator = area("formats").text(language, "list_separator")
        days = separator.join(day_text(day, language) for day in letter.recommended_until)
        sections.append(Section(words("recommendations"), paragraphs=(words("recommended"), days)))
    if letter.final:
        sections.append(Section(words("objection"), paragraphs=(words("is_final"),)))
    elif letter.objection_until is not None:
        until = day_text(letter.objection_until, language)
        sections.append(Section(words("objection"), paragraphs=(words("may_object", date=until),)))
    return sections


def _cited(article: CitedArticle, language: Language) -> str:
    title = article.title_fa if language is Language.FA else article.title_en
    return text(language, "cited_article", number=digits(language, article.number), title=title)


def _refusal(letter: Letter, language: Language) -> list[Section]:
    words = partial(text, language)
    texts = (("explanation", letter.refusal_explanation), ("address", letter.refusal_address))
    return [Section(words(key), paragraphs=(content,)) for key, content in texts if content]


def _day(moment: datetime, language: Language) -> str:
    return day_text(moment, language)
