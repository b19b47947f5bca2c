"""Bodies of decisions and of what follows from their recommendations."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from contracts.base import Answer, ListCode
from contracts.vocabulary import Channel, Outcome
from gateway.api.fields import Body, Day, Distinct, Flag, LongText, Moment, different, example
from gateway.api.screening.bodies import CaseSeenBody
from gateway.edge.problems import Problem


class RecommendationBody(Body):
    text: LongText
    due_on: Day
    model_config = example(text="زمان هر مرحله به شهروند اعلام شود.", due_on="2027-01-20")


class DecisionBody(Body):
    """`reasons` are told to the citizen. An upheld or partly upheld case names at least one root cause of those at
    /v1/lists. `articles`: codes of those of /v1/articles that it cites, each in force on the day of the decision."""

    outcome: Outcome
    reasons: LongText
    root_causes: Annotated[Distinct[ListCode], Field(max_length=6)] = []
    recommendations: Annotated[list[RecommendationBody], Field(max_length=20)] = []
    articles: Annotated[Distinct[ListCode], Field(max_length=20)] = []
    model_config = example(
        outcome="upheld",
        reasons="تأخیر بیش از مهلت قانونی بوده است.",
        root_causes=["process"],
        articles=["municipality_100"],
        recommendations=[{"text": "زمان هر مرحله به شهروند اعلام شود.", "due_on": "2027-01-20"}],
    )


def _each_once(cases: list[CaseSeenBody]) -> list[CaseSeenBody]:
    different([case.case_id for case in cases])
    return cases


class GroupDecisionBody(Body):
    """`decision` is made of each of the `cases`, as it was seen."""

    decision: DecisionBody
    cases: Annotated[list[CaseSeenBody], Field(min_length=1, max_length=200), AfterValidator(_each_once)]
    model_config = example(
        decision={
            "outcome": "not_upheld",
            "reasons": "قطعی آب آن هفته را شرکت آب و فاضلاب اعلام کرده بود.",
        },
        cases=[{"case_id": "7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10", "expected_version": 4}],
    )


class DecidedCase(Answer):
    """What came of one case of the group: decided, proposed where its kind needs four eyes, or refused with the `problem` that
    its own decision would have been answered with. `version`: of the case after it."""

    case_id: UUID
    result: Literal["decided", "proposed", "refused"]
    version: int | None = None
    problem: Problem | None = None


class DecidedGroup(Answer):
    """`items`: in the order of the request."""

    items: list[DecidedCase]


class EarlySettlementBody(Body):
    """`agreement`: what the citizen said to whoever sends this, at `agreed_at` by the channel `agreed_by`; for the office alone.
    `consented`: they agreed that it is recorded, and that it ends the case without an investigation. `reasons` are told to
    the citizen."""

    agreement: LongText
    agreed_at: Moment
    agreed_by: Channel
    consented: Flag
    reasons: LongText
    model_config = example(
        agreement="گفتند چراغ کوچه دیروز درست شد و شکایتی ندارند.",
        agreed_at="2026-11-24T09:30:00+03:30",
        agreed_by="phone",
        consented=True,
        reasons="چراغ کوچه تعمیر شد و با توافق شما پرونده بی نیاز به رسیدگی پایان یافت.",
    )


class ReturnedBody(Body):
    """`reason`: what is still wanted; for the inspector alone."""

    reason: LongText
    model_config = example(reason="پاسخ واحد به تاریخ استعلام در دلایل نیامده است.")


class ReportBody(Body):
    """`reason`: wanted when it was not carried out."""

    done: Flag
    reason: LongText | None = None
    model_config = example(done=True, reason="زمان هر مرحله از این هفته پیامک می‌شود.")


class SettlementBody(Body):
    """`accepted`: the office agrees with the unit's report; else it is sent back, with a reason."""

    accepted: Flag
    reason: LongText | None = None
    model_config = example(accepted=False, reason="نمونه‌ای از پیامک پیوست نشده است.")
