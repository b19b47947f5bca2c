"""What is printed on a letter (DOMAIN: The life of a case), in one language. The tracking code is never on it, and the
citizen's name on the copy alone that they read themselves, signed in (docs/adr/0011)."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from backbone.persian import jalali
from contracts.errors import Unavailable
from contracts.letters import Letter
from contracts.vocabulary import Language
from gateway.cases.views import day_text, ground_name, refusal_text
from gateway.papers.formatting import TEXTS, digits, text
from gateway.papers.paper import Paper, Section, Stamp
from gateway.papers.signatures import REFUSED, LetterSeal, Seals
from gateway.submissions.catalogue_cache import CatalogueCache
from texts.office import office
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES


def letter_paper(
    letter: Letter, language: Language, catalogue_cache: CatalogueCache, addressee: str | None = None
) -> Paper:
    """The letter's words. `addressee`: the citizen's name, where it is known and the reader is this citizen. Unavailable
    while the gateway knows no names of grounds: no letter goes out without them."""
    ground = ground_name(letter.ground, language, catalogue_cache)
    if ground is None:
        raise Unavailable(retry_after=5)
    say = partial(text, language)
    filed = _day(letter.filed_at, language)
    how = _how(letter)
    unit = letter.unit_name_fa if language is Language.FA else letter.unit_name_en or letter.unit_name_fa
    about = [
        (say("case_number"), digits(language, letter.case_number)),
        (say("kind"), KIND_NAMES[letter.kind][language]),
    ]
    if unit:
        about.append((say("unit"), unit))
    about += [(say("ground"), ground), (say("filed"), filed)]
    greeting = say("greeting_named", name=addressee) if addressee else say("greeting")
    sections = [Section(paragraphs=(greeting, say(f"opening_{how}", filed=filed)))]
    if letter.outcome is not None:
        about.append((say("outcome"), OUTCOME_NAMES[letter.outcome][language]))
        sections += [Section(facts=tuple(about)), *_decided(letter, language)]
    else:
        if (named := refusal_text(letter, language, catalogue_cache.refusal_reasons)) is not None:
            about.append((say("reason"), named))
        sections += [Section(facts=tuple(about)), *_refused(letter, language)]
    return Paper(
        language=language,
        office=office().name[language],
        title=say(f"letter_{how}"),
        facts=(
            *_registered(letter, language),
            (say("letter_date"), _day(letter.issued_at, language)),
            (say("letter_number"), digits(language, letter.number)),
        ),
        sections=tuple(sections),
        closing=(
            say("with_respect"),
            say("signed_head" if letter.approved else "signed_for_head"),
            office().name[language],
        ),
    )


def letter_stamp(letter: Letter, paper: Paper, language: Language, seals: Seals, verify: str) -> Stamp:
    """The letter's seal. `verify`: the address of the page that checks it."""
    seal = seals.of_letter(
        LetterSeal(
            letter.number,
            letter.case_number,
            jalali.today(letter.issued_at),
            letter.outcome or REFUSED,
            paper.content_hash(),
        )
    )
    say = partial(text, language)
    notes = (say("check_letter"), f"{verify}/{seal}", say("content_hash"), paper.content_hash())
    return Stamp(f"{verify}/{seal}", notes, TEXTS["pages"].in_language(language), letter.issued_at.isoformat())


def _registered(letter: Letter, language: Language) -> tuple[tuple[str, str], ...]:
    """The secretariat's number as offices write it: year, the letter of the office, the letter's own."""
    if letter.registry_number is None:
        return ()
    year, serial = letter.registry_number.split("/")
    shown = text(language, "registry_form", year=digits(language, year), serial=digits(language, serial))
    return ((text(language, "registry_number"), shown),)


def _how(letter: Letter) -> str:
    if letter.outcome is None:
        return "refused"
    return "final" if letter.final else "decided"


def _decided(letter: Letter, language: Language) -> list[Section]:
    say = partial(text, language)
    sections = [Section(say("reasons"), paragraphs=(letter.reasons or "",))]
    if letter.recommended_until:
        days = ("، " if language is Language.FA else ", ").join(
            str(day_text(day, language)) for day in letter.recommended_until
        )
        sections.append(Section(say("recommendations"), paragraphs=(say("recommended"), days)))
    if letter.final:
        sections.append(Section(say("objection"), paragraphs=(say("is_final"),)))
    elif letter.objection_until is not None:
        until = str(day_text(letter.objection_until, language))
        sections.append(Section(say("objection"), paragraphs=(say("may_object", date=until),)))
    return sections


def _refused(letter: Letter, language: Language) -> list[Section]:
    say = partial(text, language)
    told = (("explanation", letter.refusal_explanation), ("address", letter.refusal_address))
    return [Section(say(key), paragraphs=(words,)) for key, words in told if words]


def _day(moment: datetime, language: Language) -> str:
    return str(day_text(jalali.today(moment), language))
