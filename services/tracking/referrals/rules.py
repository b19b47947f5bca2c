"""Which cases may be referred to a competent body outside, by whom, and what the timeline says of it (DOMAIN: Law and trust, as
configuration). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from contracts.errors import NotAllowed, WrongStage
from contracts.gateway import Actor
from contracts.intake import OutsideBody
from contracts.referrals import RecordReferral, RecordReferralAnswer
from contracts.tracking import CaseReferred, ReferralAnswered
from contracts.vocabulary import Kind, Outcome, Role, Stage
from services.tracking.case.lifecycle import Case, Change, roles_on
from services.tracking.case.transitions import change_of, wrong

_DECIDED = frozenset({Stage.DECIDED, Stage.REVIEW, Stage.CLOSED})
_NEVER = frozenset({Stage.REGISTERED, Stage.MERGED, Stage.WITHDRAWN})


def authorise(actor: Actor, case: Case, about_inspection: frozenset[str]) -> None:
    """NotAllowed unless the actor is a head, or a substitute of a case about the inspection itself."""
    if Role.HEAD not in roles_on(actor, case.unit, about_inspection):
        raise NotAllowed


def require_stage(case: Case) -> None:
    """WrongStage unless the case was decided as referred, or is information that was read and goes on as a case of its own: of
    information the head decides so at any time, also when it was refused as none of the municipality's affairs."""
    decided_so = case.outcome == Outcome.REFERRED and case.stage in _DECIDED
    information = case.kind == Kind.INFORMATION and case.stage not in _NEVER
    if not (decided_so or information):
        raise WrongStage(stage=case.stage, command="refer")


def require_body(bodies: Mapping[str, OutsideBody], code: str) -> OutsideBody:
    """The body, if something may be referred to it. InvalidField for one that is unknown, closed, or has no key."""
    body = bodies.get(code)
    if body is None:
        raise wrong("body", "unknown_code")
    if not body.active:
        raise wrong("body", "not_offered")
    if not body.age_key:
        raise wrong("body", "no_key")
    return body


def refer(case: Case, body: OutsideBody, request: RecordReferral, referral_id: UUID) -> Change:
    """A line of the timeline of which the citizen reads to whom, and nothing else; the case stays as it is."""
    fields = {"referral_id": referral_id, "body": body.code, "identity": request.identity}
    details = {
        **fields,
        "referral_id": str(referral_id),
        "body_fa": body.name_fa,
        "body_en": body.name_en,
        "sha256": request.sha256,
        "files": len(request.contents),
        "text": request.reason,
    }
    return change_of(case, case, "referred", CaseReferred, details=details, fields=fields)


def record_answer(case: Case, request: RecordReferralAnswer, body: str, referred_on: date, today: date) -> Change:
    """What the body answered, for the office alone. InvalidField for a day before the referral, or to come."""
    if request.answered_on < referred_on:
        raise wrong("answered_on", "before_the_referral")
    if request.answered_on > today:
        raise wrong("answered_on", "in_the_future")
    fields = {"referral_id": request.referral_id, "body": body, "outcome": str(request.outcome)}
    details = {
        **fields,
        "referral_id": str(request.referral_id),
        "answered_on": request.answered_on.isoformat(),
        "number": request.number,
        "text": request.text,
    }
    return change_of(case, case, "referral_answered", ReferralAnswered, details=details, fields=fields)
