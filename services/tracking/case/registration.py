"""A submission as a case, its first timeline entry and its row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.gateway import FILED_CONTENT, Actor
from contracts.intake import SubmissionRegistered
from contracts.tracking import CaseOpened
from contracts.vocabulary import ActorKind, Stage
from services.tracking.case.lifecycle import Case, Change
from services.tracking.case.transitions import change_of
from services.tracking.search.document import FORM, filed_words

_FILED = (
    *(
        "case_id",
        "code_hash",
        "kind",
        "unit",
        "unit_asked",
        "unit_name_fa",
        "unit_name_en",
        "ground",
    ),
    *FILED_CONTENT,
    *("channel", "language", "anonymous", "consent", "citizen_id", "filed_at", "answered_questions"),
)


def case_of_submission(event: SubmissionRegistered, number: str) -> Case:
    """The case of a submission, before its clock is set."""
    return Case(
        case_id=event.case_id,
        number=number,
        code_hash=event.code_hash,
        kind=event.kind,
        unit=event.unit,
        unit_name_fa=event.unit_name_fa,
        unit_name_en=event.unit_name_en,
        ground=event.ground,
        stage=Stage.REGISTERED,
        channel=event.channel,
        anonymous=event.anonymous,
        filed_at=event.filed_at,
        citizen_id=event.citizen_id,
    )


def filed_by(event: SubmissionRegistered) -> Actor:
    """The citizen, by their account or by their code alone."""
    if event.citizen_id is not None:
        return Actor(kind=ActorKind.CITIZEN, id=str(event.citizen_id))
    return Actor(kind=ActorKind.BEARER, id=event.code_hash)


def opening_of(case: Case, event: SubmissionRegistered) -> Change:
    """The first entry; with the hash of what was filed, the chain vouches for the text too."""
    details: dict[str, Any] = {
        "content_hash": event.content_hash,
        "unit_asked": event.unit_asked,
        "uploads": list(event.uploads),
    }
    if event.group is not None:
        details["group_members"] = event.group.members
    if event.consent is not None:
        details["consent"] = event.consent.model_dump(mode="json")
    return change_of(case, case, "opened", CaseOpened, details=details)


def row_of(case: Case, event: SubmissionRegistered, moment: datetime) -> dict[str, Any]:
    """A case as it is stored when it is opened."""
    filed = {
        **event.model_dump(mode="json", include=set(_FILED)),
        "group_members": event.group.members if event.group else None,
        "group_common": event.group.common if event.group else None,
    }
    words = {"search": filed_words(case.number, filed), "search_form": FORM}
    return {**vars(case), **filed, **words, "opened_at": moment}
