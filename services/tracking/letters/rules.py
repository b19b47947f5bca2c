"""The formal letter of a case that is decided or refused: what it contains. Pure."""

from __future__ import annotations

from datetime import date, datetime

from contracts.errors import NoLetter
from contracts.letters import Letter
from contracts.tracking import CitedArticle
from services.tracking.case.lifecycle import Case


def letter_of(
    case: Case,
    refused_at: datetime | None,
    number: str | None = None,
    approved: bool = False,
    place: int = 1,
    replaces: str | None = None,
) -> Letter:
    """The letter. `number`: the secretariat's; `approved`: by the head; `place`: which letter of the case it is, those that are
    void counted; `replaces`: the number of the last void one. NoLetter while the case is neither decided nor refused. A decision
    that an objection calls in question keeps its letter until the final one, the second of the case, takes its place."""
    decided = case.outcome is not None and case.decided_at is not None
    issued_at = case.decided_at if decided else refused_at if case.refusal_reason is not None else None
    if issued_at is None:
        raise NoLetter
    named = case.names.get("refusal", {}).get(case.refusal_reason, {})
    return Letter(
        number=f"{case.number}-{max(place, 2 if case.final else 1)}",
        case_number=case.number,
        issued_at=issued_at,
        kind=case.kind,
        unit_name_fa=case.unit_name_fa,
        unit_name_en=case.unit_name_en,
        ground=case.ground,
        filed_at=case.filed_at,
        outcome=case.outcome,
        reasons=case.reasons,
        final=case.final,
        registry_number=number,
        approved=approved,
        replaces=replaces,
        objection_until=case.objection_until,
        recommended_until=sorted(
            {date.fromisoformat(recommendation["due_on"]) for recommendation in case.recommendations}
        ),
        articles=[CitedArticle(code=code, **names) for code, names in case.names.get("articles", {}).items()],
        refusal_reason=None if decided else case.refusal_reason,
        refusal_name_fa=None if decided else named.get("name_fa"),
        refusal_name_en=None if decided else named.get("name_en"),
        refusal_explanation=None if decided else case.refusal_explanation,
        refusal_address=None if decided else case.refusal_address,
    )
