"""A submission as a case, its first timeline entry and its row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.intake import SubmissionRegistered
from contracts.vocabulary import ActorKind, Stage
from services.tracking.case.lifecycle import Case, StoredEntry
from services.tracking.search.queries import searchable

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
        "answers",
    ),
    *(
        "text",
        "happened_on",
        "place",
        "reference",
        "people",
        "visit_wanted",
        "channel",
        "language",
        "anonymous",
        "consent",
    ),
    *("citizen_id", "filed_at"),
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


def opening_of(event: SubmissionRegistered, moment: datetime) -> StoredEntry:
    """The first entry; with the hash of what was filed, the chain vouches for the text too."""
    kind = ActorKind.CITIZEN if event.citizen_id else ActorKind.BEARER
    by = str(event.citizen_id) if event.citizen_id else event.code_hash
    details: dict[str, Any] = {
        "content_hash": event.content_hash,
        "unit_asked": event.unit_asked,
        "uploads": list(event.uploads),
    }
    if event.group is not None:
        details["group_members"] = event.group.members
    if event.consent is not None:
        details["consent"] = event.consent.model_dump(mode="json")
    return StoredEntry(event.case_id, 1, "opened", kind, by, moment, Stage.REGISTERED, details)


def row_of(case: Case, event: SubmissionRegistered, moment: datetime) -> dict[str, Any]:
    """A case as it is stored when it is opened."""
    return {
        **vars(case),
        **event.model_dump(mode="json", include=set(_FILED)),
        "group_members": event.group.members if event.group else None,
        "group_common": event.group.common if event.group else None,
        "search": searchable(case.number, event.text),
        "opened_at": moment,
    }
