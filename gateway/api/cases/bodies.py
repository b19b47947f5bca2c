"""Bodies of what staff do with a case."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import GroundCode, ListCode, UnitCode, UploadId
from contracts.vocabulary import Kind
from gateway.api.fields import Body, Flag, LongText, ShortText, Uploads, example


class CorrectionBody(Body):
    """Only what is given changes."""

    unit: UnitCode | None = None
    ground: GroundCode | None = None
    urgent: Flag | None = None
    kind: Kind | None = None
    model_config = example(unit="dep.urb.permits", urgent=True)


class RefusalBody(Body):
    """`reason`: of those at /v1/lists. `explanation` is told to the citizen, with `address`: where to turn to instead."""

    reason: ListCode
    explanation: LongText
    address: ShortText | None = None
    model_config = example(
        reason="outside_remit", explanation="رسیدگی به این موضوع با اداره آب است.", address="شرکت آب و فاضلاب، تلفن ۱۲۲"
    )


class MergeBody(Body):
    """`into`: the open case that this one is a duplicate of."""

    into: UUID
    model_config = example(into="7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10")


class AssignmentBody(Body):
    """`inspector` left out: whoever is skilled in the ground and has the fewest open cases."""

    inspector: UUID | None = None
    model_config = example(inspector="b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21")


class WayBackBody(Body):
    """`reason`: for the office alone."""

    reason: LongText
    model_config = example(reason="شکایت از اداره‌ای دیگر است؛ واحد اشتباه انتخاب شده بود.")


class QuestionBody(Body):
    text: LongText
    model_config = example(text="تاریخ مراجعه شما چه روزی بود؟")


class UnitQuestionBody(Body):
    """`unit` left out: the unit complained about. `media`: attachments of the case to show along with the question."""

    text: LongText
    unit: UnitCode | None = None
    media: Uploads = []
    model_config = example(text="علت تأخیر در این پرونده چیست؟", unit="dep.urb.permits", media=[])


class NoteBody(Body):
    """`mentions`: staff who may see the case and are told."""

    text: LongText
    mentions: Annotated[list[UUID], Field(max_length=10)] = []
    model_config = example(text="با مسئول دفتر تماس گرفته شد.")


class AddedEvidenceBody(Body):
    """`redacts`: the attachment of which the one upload is the version without what must not be seen."""

    uploads: Annotated[Uploads, Field(min_length=1)]
    redacts: UploadId | None = None
    model_config = example(uploads=["kq3v9mZ2Jt6xB1sYw8Rd0A"], redacts=None)


class EvidenceBody(Body):
    uploads: Annotated[Uploads, Field(min_length=1)]
    model_config = example(uploads=["kq3v9mZ2Jt6xB1sYw8Rd0A"])
