"""The formal letter that tells the citizen how a case ended (DOMAIN: The life of a case), as tracking knows it."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from contracts.base import Answer, GroundCode, KeyedHash, ListCode, Moment, Request
from contracts.gateway import Actor
from contracts.tracking.citizen_views import CitedArticle
from contracts.vocabulary import Kind, Outcome


class ReadLetter(Request):
    """RPC tracking.read_letter → Letter, for staff who may know of the case, for the citizen who filed it (`case_id`) or
    for who holds its code (`code_hashes`). UnknownCase; NoLetter while it is neither decided nor refused."""

    actor: Actor
    case_id: UUID | None = None
    code_hashes: list[KeyedHash] = []


class CheckLetter(Request):
    """RPC tracking.check_letter → LetterStanding. For anybody who holds a letter of this office: the gateway has verified its
    signature. UnknownCase when there is no case of its number."""

    number: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{1,12}-[0-9]{1,3}$")]


class LetterStanding(Answer):
    """`in_force`: the letter is the one that its citizen would get today. False when what it told was taken back or a later
    letter replaced it; which of these, when and why is not told."""

    in_force: bool


class Letter(Answer):
    """What the letter tells: decided (`outcome`, `reasons`) or refused (`refusal_…`). Neither code nor citizen is in it, and
    of the recommendations only the days until which the unit has to report: their words are for the unit.

    `number`: the case's number and which letter of the case it is, 1405-000123-1. `registry_number`: under which the
    secretariat finds it, Jalali year and seven digits, 1405/4821375, given once and drawn by lot, so that it does not tell
    how many letters there are; None for letters from before there were such numbers. `approved`: by the head, where somebody
    else had proposed it. `replaces`: the registry number of the letter before it, which is void since what it told was taken
    back. `final`: after an objection. `articles`: what the decision cites. `refusal_name_…`: what the reason was called that
    day."""

    number: str
    case_number: str
    issued_at: Moment
    kind: Kind
    unit_name_fa: str | None
    unit_name_en: str | None
    ground: GroundCode
    filed_at: Moment
    outcome: Outcome | None = None
    reasons: str | None = None
    final: bool = False
    registry_number: str | None = None
    approved: bool = False
    replaces: str | None = None
    objection_until: date | None = None
    recommended_until: list[date] = []
    articles: list[CitedArticle] = []
    refusal_reason: ListCode | None = None
    refusal_name_fa: str | None = None
    refusal_name_en: str | None = None
    refusal_explanation: str | None = None
    refusal_address: str | None = None
