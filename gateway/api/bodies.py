"""Bodies of the commands: what citizens and staff send about a case."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from contracts.base import GroundCode, ListCode, UnitCode
from contracts.tracking import Recommendation
from contracts.vocabulary import Outcome
from gateway.api.fields import Body, Day, Flag, LongText, ReasonText, ShortText, Uploads, whole


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra={"examples": [example]})


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("twice", "one of them appears twice")
    return values


class AnswerBody(Body):
    text: LongText
    uploads: Uploads = []
    model_config = _like(text="تاریخ مراجعه من دوم آبان بود.", uploads=[])


class WithdrawalBody(Body):
    reason: ShortText | None = None
    model_config = _like(reason="کارم انجام شد.")


class ObjectionBody(Body):
    text: LongText
    model_config = _like(text="به مدرک دوم من توجه نشده است.")


class RatingBody(Body):
    """`score` 1–5; the four questions may be left out."""

    score: Annotated[int, Field(ge=1, le=5), BeforeValidator(whole)]
    informed_clearly: Flag | None = None
    treated_well: Flag | None = None
    on_time: Flag | None = None
    asked_improper: Flag | None = None
    model_config = _like(score=4, informed_clearly=True, treated_well=True, on_time=False, asked_improper=False)


class ReadBody(Body):
    ids: Annotated[list[UUID], Field(max_length=100)]
    model_config = _like(ids=["5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11"])


class CorrectionBody(Body):
    """Only what is given changes."""

    unit: UnitCode | None = None
    ground: GroundCode | None = None
    urgent: Flag | None = None
    model_config = _like(unit="dep.urb.permits", urgent=True)


class RefusalBody(Body):
    """`reason`: of those at /v1/lists. `explanation` is told to the citizen, with `address`: where to turn to instead."""

    reason: ListCode
    explanation: LongText
    address: ShortText | None = None
    model_config = _like(
        reason="outside_remit", explanation="رسیدگی به این موضوع با اداره آب است.", address="شرکت آب و فاضلاب، تلفن ۱۲۲"
    )


class MergeBody(Body):
    """`into`: the open case that this one is a duplicate of."""

    into: UUID
    model_config = _like(into="7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10")


class AssignmentBody(Body):
    """`inspector` left out: whoever is skilled in the ground and has the fewest open cases."""

    inspector: UUID | None = None
    model_config = _like(inspector="b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21")


class QuestionBody(Body):
    text: LongText
    model_config = _like(text="تاریخ مراجعه شما چه روزی بود؟")


class UnitQuestionBody(Body):
    """`unit` left out: the unit complained about. `media`: attachments of the case to show along with the question."""

    text: LongText
    unit: UnitCode | None = None
    media: Uploads = []
    model_config = _like(text="علت تأخیر در این پرونده چیست؟", unit="dep.urb.permits", media=[])


class UnitAnswerBody(Body):
    text: LongText
    uploads: Uploads = []
    model_config = _like(text="پرونده منتظر استعلام است و این هفته تمام می‌شود.", uploads=[])


class NoteBody(Body):
    """`mentions`: staff who may see the case and are told."""

    text: LongText
    mentions: Annotated[list[UUID], Field(max_length=10)] = []
    model_config = _like(text="با مسئول دفتر تماس گرفته شد.")


class EvidenceBody(Body):
    uploads: Annotated[Uploads, Field(min_length=1)]
    model_config = _like(uploads=["kq3v9mZ2Jt6xB1sYw8Rd0A"])


class RecommendationBody(Body):
    text: LongText
    due_on: Day
    model_config = _like(text="زمان هر مرحله به شهروند اعلام شود.", due_on="2027-01-20")


class DecisionBody(Body):
    """`reasons` are told to the citizen. An upheld or partly upheld case names at least one root cause of those at
    /v1/lists."""

    outcome: Outcome
    reasons: LongText
    root_causes: Annotated[
        list[ListCode], Field(max_length=6, json_schema_extra={"uniqueItems": True}), AfterValidator(_distinct)
    ] = []
    recommendations: Annotated[list[RecommendationBody], Field(max_length=20)] = []
    model_config = _like(
        outcome="upheld",
        reasons="تأخیر بیش از مهلت قانونی بوده است.",
        root_causes=["process"],
        recommendations=[{"text": "زمان هر مرحله به شهروند اعلام شود.", "due_on": "2027-01-20"}],
    )

    def told(self) -> list[Recommendation]:
        return [Recommendation(text=one.text, due_on=one.due_on) for one in self.recommendations]


class ReturnedBody(Body):
    """`reason`: what is still wanted; for the inspector alone."""

    reason: LongText
    model_config = _like(reason="پاسخ واحد به تاریخ استعلام در دلایل نیامده است.")


class ReportBody(Body):
    """`reason`: wanted when it was not carried out."""

    done: Flag
    reason: LongText | None = None
    model_config = _like(done=True, reason="زمان هر مرحله از این هفته پیامک می‌شود.")


class SettlementBody(Body):
    """`accepted`: the office agrees with the unit's report; else it is sent back, with a reason."""

    accepted: Flag
    reason: LongText | None = None
    model_config = _like(accepted=False, reason="نمونه‌ای از پیامک پیوست نشده است.")


class CaseSeenBody(Body):
    """`expected_version`: the version that was seen."""

    case_id: UUID
    expected_version: Annotated[int, Field(ge=1), BeforeValidator(whole)]
    model_config = _like(case_id="7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10", expected_version=2)


class AssignmentsBody(Body):
    """`inspector` left out: each to whoever is skilled in its ground and has the fewest open cases."""

    cases: Annotated[list[CaseSeenBody], Field(min_length=1, max_length=100)]
    inspector: UUID | None = None
    model_config = _like(cases=[{"case_id": "7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10", "expected_version": 2}])


class HandOverBody(Body):
    """`leaver`: whose open cases go to `inspector` or, left out, to whoever is skilled and has the fewest."""

    leaver: UUID
    inspector: UUID | None = None
    model_config = _like(leaver="b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21")


class SkillsBody(Body):
    """`grounds`: none means any."""

    grounds: Annotated[list[GroundCode], Field(max_length=50)]
    model_config = _like(grounds=["delay", "conduct"])


class ReminderBody(Body):
    """`on`: a day to come."""

    on: Day
    text: ShortText
    model_config = _like(on="2027-01-10", text="پیگیری پاسخ استعلام")


class CheckBody(Body):
    text: ShortText
    model_config = _like(text="بازدید از محل")


class TickBody(Body):
    done: Flag
    model_config = _like(done=True)


class LinkBody(Body):
    """`linked` false: they no longer belong together."""

    to: UUID
    linked: Flag = True
    model_config = _like(to="7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10", linked=True)


class NothingBody(Body):
    """No field: the command says it all."""

    model_config = _like()


class ReasonBody(Body):
    """`reason`: kept on the record with who opened it."""

    reason: ReasonText
    model_config = _like(reason="برای دعوت به جلسه رسیدگی")


class IdentityRequestBody(Body):
    """`minutes`: for how long it may be opened once a custodian has consented."""

    reason: ReasonText
    minutes: Annotated[int, Field(ge=1, le=1_440), BeforeValidator(whole)] = 60
    model_config = _like(reason="برای دعوت به جلسه رسیدگی", minutes=60)


class IdentityDecisionBody(Body):
    consent: Flag
    reason: ReasonText | None = None
    model_config = _like(consent=True, reason="برای رسیدگی لازم است.")
