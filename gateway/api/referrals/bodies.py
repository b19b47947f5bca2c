"""Bodies of referrals to competent bodies outside, and of what these answered."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from contracts.base import ListCode, UploadId
from contracts.referrals import MAX_ATTACHMENTS, ReferralOutcome
from gateway.api.fields import NAME_PATTERN, TEXT_PATTERN, Body, Day, Distinct, Flag, LongText, NotBlank, example

Reason = Annotated[str, StringConstraints(pattern=TEXT_PATTERN, min_length=5, max_length=2_000), NotBlank]
BodysNumber = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=100), NotBlank]
Files = Annotated[Distinct[UploadId], Field(max_length=MAX_ATTACHMENTS)]


class ReferralBody(Body):
    """`body`: of `outside_bodies` in /v1/lists. `attachments`: media of the case that goes with it; left out, all of it.
    `identity`: whether who filed the case goes with it, for which a custodian has to have consented."""

    body: ListCode
    reason: Reason
    identity: Flag = False
    attachments: Files | None = None
    model_config = example(
        body="inspection_organisation", reason="رسیدگی به آن در صلاحیت آن سازمان است.", identity=False
    )


class ReferralAnswerBody(Body):
    """`number`: under which the body answered. `outcome`: received, accepted, declined or concluded."""

    answered_on: Day
    number: BodysNumber | None = None
    outcome: ReferralOutcome
    text: LongText
    model_config = example(
        answered_on="2026-11-24", number="۱۴۰۵/۸۸۱", outcome="accepted", text="پرونده پذیرفته شد و رسیدگی آغاز شده است."
    )
