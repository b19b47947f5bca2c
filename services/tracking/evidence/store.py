"""Evidence after it was filed: which of it was refused, how many files its citizen may still send; its queries.

`media_states` holds what media reports of an upload, whichever cases have it; `withheld` what one case alone cannot have.
Both may come before the case does. Whoever writes an attachment writes its state's row first (`ensure_states`), as the handler
of media's events does: so of the two at once one waits, and sees what the other wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, func, or_, select, tuple_, update

from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.media import FILE_SUFFIXES, UploadState
from contracts.tracking import AddEvidence, Attachment, SendEvidence
from contracts.tracking.citizen_views import Uploader
from contracts.vocabulary import ActorKind
from services.tracking.case.facts import FactsLoader, FactsLoaders, FactsQuery
from services.tracking.case.record import EffectWriter, EffectWriters, Recorded
from services.tracking.evidence.rules import EvidenceAttached, EvidenceFacts
from services.tracking.models import attachments, cases, media_states, withheld

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
ERASED = "erased"
"""Why one case has an upload no more that another still has."""
WITHDRAWN = "withdrawn"
"""Why nobody is shown an upload that its citizen took back before it was seen."""


def ensuring_states(media_ids: Iterable[str]) -> list[Write]:
    """Before uploads are written as attachments, or with them, and before any case is locked for them."""
    rows = [
        {"media_id": media_id, "state": UploadState.PROCESSING, "variants": [], "reported_at": _LONG_AGO}
        for media_id in sorted(set(media_ids))
    ]
    return writes.insert(media_states, rows, "ON CONFLICT DO NOTHING")


def ensure_states(connection: Connection, media_ids: Iterable[str]) -> None:
    """The same by itself."""
    writes.execute_all(connection, ensuring_states(media_ids))


def withholding(rows: Sequence[Mapping[str, Any]]) -> list[Write]:
    """These cases cannot have these uploads: case_id, media_id, reason."""
    return writes.insert(withheld, rows, "ON CONFLICT DO NOTHING")


def unreported_refusals(connection: Connection, media_ids: Iterable[str]) -> dict[UUID, list[str]]:
    """Cases whose citizens sent these and were not informed yet that they are refused, in the order of their ids."""
    chosen = (
        select(attachments.c.case_id, attachments.c.media_id)
        .outerjoin(media_states, media_states.c.media_id == attachments.c.media_id)
        .outerjoin(withheld, _of_attachment())
        .where(attachments.c.media_id.in_(sorted(set(media_ids))))
        .where(attachments.c.from_office.is_(False), attachments.c.refusal_reported.is_(False))
        .where(attachments.c.withdrawn_at.is_(None))
        .where(or_(media_states.c.state == UploadState.REJECTED, withheld.c.reason != ERASED))
        .order_by(attachments.c.case_id, attachments.c.position, attachments.c.media_id)
    )
    media_by_case: dict[UUID, list[str]] = {}
    for row in connection.execute(chosen):
        media_by_case.setdefault(row.case_id, []).append(row.media_id)
    return media_by_case


def refused(connection: Connection, media_ids: Collection[str]) -> list[str]:
    """Those of these whose refusal some citizen was not informed of yet."""
    cases_of = unreported_refusals(connection, media_ids) if media_ids else {}
    return [media_id for media in cases_of.values() for media_id in media]


def take_unreported(connection: Connection, case_id: UUID, media_ids: Sequence[str]) -> tuple[list[str], bool]:
    """Of a locked case: those of these that nobody reported meanwhile, reported from now on; and whether they are the first."""
    of_case = attachments.c.case_id == case_id
    first = connection.execute(select(~exists().where(of_case, attachments.c.refusal_reported))).scalar_one()
    chosen = update(attachments).where(of_case, attachments.c.media_id.in_(media_ids))
    chosen = chosen.where(attachments.c.refusal_reported.is_(False))
    taken = set(connection.execute(chosen.values(refusal_reported=True).returning(attachments.c.media_id)).scalars())
    return [media_id for media_id in media_ids if media_id in taken], bool(first)


def sent_by_citizen(connection: Connection, case_id: UUID) -> frozenset[str]:
    """What the citizen gave this case."""
    chosen = select(attachments.c.media_id).where(attachments.c.case_id == case_id)
    return frozenset(connection.execute(chosen.where(attachments.c.from_office.is_(False))).scalars())


def withdrawn_by_citizen(connection: Connection, case_id: UUID) -> frozenset[str]:
    """What the citizen gave this case and took back."""
    chosen = select(attachments.c.media_id).where(attachments.c.case_id == case_id)
    return frozenset(connection.execute(chosen.where(attachments.c.withdrawn_at.is_not(None))).scalars())


def not_withheld(of: FromClause = attachments) -> ColumnElement[bool]:
    """The condition that an attachment is its case's to show."""
    return ~exists().where(_of_attachment(of)).correlate(of)


def not_refused() -> ColumnElement[bool]:
    """The condition that an attachment is its case's, or was until it was erased: of that one media reports that it is gone."""
    return ~exists().where(_of_attachment(), withheld.c.reason != ERASED).correlate(attachments)


def reason_withheld() -> Any:
    """Why an attachment is not its case's; NULL for all others."""
    return select(withheld.c.reason).where(_of_attachment()).correlate(attachments).scalar_subquery()


def place_in_case(*conditions: ColumnElement[bool]) -> Any:
    """An attachment's number among those of the same side of its case (`conditions`: among those of `counted` that meet
    them): it stays the same whatever is added."""
    return (
        select(func.count())
        .select_from(counted)
        .where(
            counted.c.case_id == attachments.c.case_id,
            tuple_(counted.c.position, counted.c.media_id) <= tuple_(attachments.c.position, attachments.c.media_id),
            *(conditions or (counted.c.from_office == attachments.c.from_office,)),
        )
        .correlate(attachments)
        .scalar_subquery()
    )


counted = attachments.alias("counted")


def view_for_staff(line: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Attachment:
    """An attachment of a case as its staff see it. `lines`: all of the case; `names`: of staff, by id."""
    by = line["added_by"]
    return view(line).model_copy(
        update={
            "uploaded_by": UUID(by) if by else None,
            "uploaded_by_name": names.get(by) if by else None,
            "redacts": line["redacts"],
            "redacted_as": [other["media_id"] for other in lines if other["redacts"] == line["media_id"]],
        }
    )


def view_for_unit(line: Mapping[str, Any], number: int) -> Attachment:
    """The same as a unit sees it that it went along with: not when the citizen sent it, which may tell who they are, nor which
    version of it this is."""
    shown = view(line, number)
    return shown if line["from_office"] else shown.model_copy(update={"uploaded_at": None})


def view(line: Mapping[str, Any], number: int | None = None) -> Attachment:
    """An attachment as it is shown: under a name that does not reveal who sent it."""
    state, variants, reason = line["state"] or UploadState.PROCESSING, line["variants"] or [], line["reason"]
    if line["withheld"] is not None:
        gone = line["withheld"] in (ERASED, WITHDRAWN)
        state, variants = UploadState.REMOVED if gone else UploadState.REJECTED, []
        reason = None if gone else line["withheld"]
    number = line["number"] if number is None else number
    label = label_of(number, line["from_office"])
    shown = {**line, "state": state, "variants": variants, "reason": reason, "number": number}
    shown |= {"notes": line["notes"] or [], "peaks": bool(line["peaks"]) and state == UploadState.ACCEPTED}
    shown |= {"uploaded_at": line["added_at"], "uploader": _uploader(line), "redacts": None}
    return Attachment.model_validate({**shown, "file_name": label + FILE_SUFFIXES.get(line["media_type"] or "", "")})


def line_of_sending(position: Any) -> Any:
    """The sequence of the line of the timeline that an attachment came with, by its position (`media_rows`)."""
    return position // _PLACES


_PLACES = 100


def _uploader(line: Mapping[str, Any]) -> Uploader:
    if not line["from_office"]:
        return "citizen"
    return "office" if line["question_id"] is None else "unit"


def label_of(number: int, from_office: bool) -> str:
    """What an attachment is called before its suffix."""
    return f"office-{number}" if from_office else f"evidence-{number}"


def _of_attachment(of: FromClause = attachments) -> ColumnElement[bool]:
    return and_(withheld.c.case_id == of.c.case_id, withheld.c.media_id == of.c.media_id)


def adding(rows: Sequence[Mapping[str, Any]]) -> list[Write]:
    """What belongs to a case; what it has already stays as it is."""
    return writes.insert(attachments, rows, "ON CONFLICT DO NOTHING")


MEDIA = (
    select(func.json_agg(attachments.c.media_id))
    .where(attachments.c.case_id == cases.c.case_id, not_withheld())
    .scalar_subquery()
)
"""The same of the case of a larger query, as JSON."""


def media_of(connection: Connection, case_id: UUID) -> frozenset[str]:
    """All media that a case may show."""
    chosen = select(attachments.c.media_id).where(attachments.c.case_id == case_id, not_withheld())
    return frozenset(connection.execute(chosen).scalars())


_NEWER = ", ".join(f"{column.name} = excluded.{column.name}" for column in media_states.c if not column.primary_key)


def keeping_states(rows: Sequence[Mapping[str, Any]]) -> list[Write]:
    """What media reports of its media, whether or not a case refers to it yet; the newest report counts."""
    newest = {row["media_id"]: row for row in sorted(rows, key=lambda row: row["reported_at"])}
    # Sorted: two replicas never lock the same rows in opposite order.
    in_order = [newest[media_id] for media_id in sorted(newest)]
    ending = f"ON CONFLICT (media_id) DO UPDATE SET {_NEWER} WHERE media_states.reported_at <= excluded.reported_at"
    return writes.insert(media_states, in_order, ending)


# --- what changes of a case need and do ---


def media_rows(
    case_id: UUID,
    uploads: Sequence[str],
    version: int,
    from_office: bool = False,
    question_id: UUID | None = None,
    *,
    at: datetime,
    by: UUID | None = None,
    redacts: str | None = None,
) -> list[dict[str, Any]]:
    """Media as attachments of a case, in the order given, after those of earlier versions. `at`: when they became so; `by`: who
    of the staff gave them."""
    return [
        {
            "case_id": case_id,
            "media_id": media_id,
            "position": version * _PLACES + place,
            "from_office": from_office,
            "question_id": question_id,
            "refusal_reported": False,
            "added_at": at,
            "added_by": by,
            "redacts": redacts,
        }
        for place, media_id in enumerate(uploads)
    ]


def _write_attachments(effect: EvidenceAttached, recorded: Recorded) -> list[Write]:
    case, from_office = recorded.case, recorded.actor.kind is ActorKind.STAFF
    by = UUID(recorded.actor.id) if from_office else None
    about = (case.case_id, effect.uploads, case.version, from_office, effect.question_id)
    return adding(media_rows(*about, at=recorded.at, by=by, redacts=effect.redacts))


# What a view tells of an upload, such as its state, is another table's: it is read.
EFFECT_WRITERS: EffectWriters = {EvidenceAttached: EffectWriter(_write_attachments)}


def _load(connection: Connection, command: SendEvidence, about: FactsQuery) -> EvidenceFacts:
    case_id = about.case.case_id
    sent = sent_by_citizen(connection, case_id)
    withdrawn = withdrawn_by_citizen(connection, case_id)
    return EvidenceFacts(media=media_of(connection, case_id), sent=sent, withdrawn=withdrawn)


def _load_original(connection: Connection, command: AddEvidence, about: FactsQuery) -> EvidenceFacts:
    """Only for a redacted version, whose original has to be of the case."""
    return EvidenceFacts(media=media_of(connection, about.case.case_id)) if command.redacts else EvidenceFacts()


FACTS_LOADERS: FactsLoaders = {SendEvidence: FactsLoader(_load), AddEvidence: FactsLoader(_load_original)}
