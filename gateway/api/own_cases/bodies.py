"""Bodies of what citizens do with their case."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from contracts.base import GroundCode, UnitCode, UploadId
from gateway.api.fields import Body, ClaimText, Flag, LongText, OptionalText, ShortText, Uploads, example, whole
from gateway.api.submissions.bodies import PlaceBody

MESSAGE_ID = "5b1d7c1e-3f6a-4a5e-9d55-0c2f1b7a9e10"


class AnswerBody(Body):
    text: LongText
    uploads: Uploads = []
    model_config = example(text="تاریخ مراجعه من دوم آبان بود.", uploads=[])


class DraftBody(Body):
    """What somebody is about to file, as far as it is written."""

    unit: UnitCode | None = None
    ground: GroundCode | None = None
    text: Annotated[str, StringConstraints(pattern=OptionalText, max_length=10_000)] = ""
    model_config = example(unit="dep.urb.permits", ground="delay", text="پرونده پایان کار من بی‌پاسخ مانده است.")


class MessageBody(Body):
    text: LongText
    uploads: Uploads = []
    model_config = example(text="امروز هم مراجعه کردم و پاسخی نگرفتم.", uploads=[])


class MessageCorrectionBody(Body):
    message_id: UUID
    text: LongText
    model_config = example(message_id=MESSAGE_ID, text="دیروز هم مراجعه کردم و پاسخی نگرفتم.")


class MessageWithdrawalBody(Body):
    message_id: UUID
    model_config = example(message_id=MESSAGE_ID)


class FiledCorrectionBody(Body):
    """What is left out stays; `place` is replaced as a whole."""

    text: ClaimText | None = None
    place: PlaceBody | None = None
    model_config = example(text="پرونده پایان کار من دو ماه است که بی‌پاسخ مانده است.")


class EvidenceWithdrawalBody(Body):
    media_id: UploadId
    model_config = example(media_id="kq3v9mZ2Jt6xB1sYw8Rd0A")


class WithdrawalBody(Body):
    reason: ShortText | None = None
    model_config = example(reason="کارم انجام شد.")


class ObjectionBody(Body):
    text: LongText
    model_config = example(text="به مدرک دوم من توجه نشده است.")


class RatingBody(Body):
    """`score` 1–5; the four questions may be left out."""

    score: Annotated[int, Field(ge=1, le=5), BeforeValidator(whole)]
    informed_clearly: Flag | None = None
    treated_well: Flag | None = None
    on_time: Flag | None = None
    asked_improper: Flag | None = None
    model_config = example(score=4, informed_clearly=True, treated_well=True, on_time=False, asked_improper=False)
