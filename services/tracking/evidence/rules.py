"""Evidence after a case was filed: added by the office, sent by the citizen, refused by media. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contracts.errors import EvidenceFull, InvalidField
from contracts.media import MOST_FILES_OF_CASE
from contracts.tracking import AddEvidence, EvidenceAdded, EvidenceRefused, SendEvidence
from contracts.vocabulary import OPEN_STAGES, Stage
from services.tracking.case.lifecycle import AT_WORK, Case, Change, Context, Effect
from services.tracking.case.transitions import (
    BY_CITIZEN,
    BY_INSPECTOR,
    CommandRule,
    Hindrance,
    change_of,
    staying_in,
)

EVIDENCE_MOST = MOST_FILES_OF_CASE
"""How many files of its citizen one case takes."""


@dataclass(frozen=True)
class EvidenceAttached(Effect):
    """Uploads become attachments of the case, in this order; `question_id`: they answer this question; `redacts`: they are the
    redacted version of this attachment."""

    uploads: tuple[str, ...]
    question_id: UUID | None = None
    redacts: str | None = None


@dataclass(frozen=True)
class EvidenceFacts:
    """`media`: all that the case may show; `sent`: those of its citizen, `withdrawn`: those they took back."""

    media: frozenset[str] = frozenset()
    sent: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()


def attached(uploads: Sequence[str], question_id: UUID | None = None) -> tuple[Effect, ...]:
    """The effect of uploads that came with a command, if any did."""
    return (EvidenceAttached(tuple(uploads), question_id),) if uploads else ()


def evidence_left(case: Case, sent: int) -> int:
    """How many more files its citizen may send now, who has sent so many."""
    return max(0, EVIDENCE_MOST - sent) if case.stage in OPEN_STAGES else 0


def refuse_evidence(case: Case, media: Sequence[str], first: bool) -> Change:
    """What the citizen sent cannot be taken. `first`: the first of this case."""
    details = {"media": list(media)}
    return change_of(
        case, case, "evidence_refused", EvidenceRefused, details=details, fields={**details, "first": first}
    )


def _add_evidence(case: Case, command: AddEvidence, context: Context) -> Change:
    uploads = tuple(dict.fromkeys(command.uploads))
    fields = {"uploads": list(uploads)}
    details: dict[str, Any] = dict(fields)
    if command.redacts is not None:
        if len(uploads) > 1:
            raise InvalidField(fields=[{"field": "uploads", "reason": "too_long", "max_length": 1}])
        if command.redacts not in context.loaded(EvidenceFacts).media or command.redacts in uploads:
            raise InvalidField(fields=[{"field": "redacts", "reason": "not_of_case"}])
        details["redacts"] = command.redacts
    effect = EvidenceAttached(uploads, redacts=command.redacts)
    return change_of(case, case, "evidence_added", EvidenceAdded, effect, details=details, fields=fields)


def _has_place_for_evidence(case: Case, context: Context) -> Hindrance | None:
    full = len(context.loaded(EvidenceFacts).sent) >= EVIDENCE_MOST
    return Hindrance("too_late", "evidence_full", EvidenceFull(limit=EVIDENCE_MOST)) if full else None


def _send_evidence(case: Case, command: SendEvidence, context: Context) -> Change:
    facts = context.loaded(EvidenceFacts)
    uploads = tuple(dict.fromkeys(upload for upload in command.uploads if upload not in facts.media | facts.withdrawn))
    if not uploads:
        return Change(case)  # the case has them all
    if len(facts.sent) + len(uploads) > EVIDENCE_MOST:
        raise EvidenceFull(limit=EVIDENCE_MOST)
    details = {"uploads": list(uploads)}
    fields = {**details, "by_citizen": True}
    return change_of(case, case, "evidence_sent", EvidenceAdded, *attached(uploads), details=details, fields=fields)


COMMANDS = (
    CommandRule(AddEvidence, staying_in(*AT_WORK, Stage.REVIEW), BY_INSPECTOR, _add_evidence),
    CommandRule(SendEvidence, staying_in(*OPEN_STAGES), BY_CITIZEN, _send_evidence, guard=_has_place_for_evidence),
)
