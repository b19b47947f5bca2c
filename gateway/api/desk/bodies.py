"""Bodies and filters of the counter."""

from __future__ import annotations

from uuid import UUID

from contracts.base import GroundCode, UnitCode
from contracts.vocabulary import Kind
from gateway.api.dependencies import Cursor, PageSize
from gateway.api.digits import CaseNumber, LastDigits, TypedCode, TypedDay, TypedNumber, WholeCaseNumber
from gateway.api.fields import Body, Flag, PastDay, example


class DeskQuery(Body):
    """`number`: whole, or its last part in any year; `receipt_number`: on the paper; `last_digits`: of the citizen's mobile, as
    it was typed then. Days are Tehran's, Jalali or Gregorian, both ends included.
    `after`: `next` of the page before."""

    number: CaseNumber | None = None
    receipt_number: UUID | None = None
    kind: Kind | None = None
    filed_from: TypedDay | None = None
    filed_until: TypedDay | None = None
    last_digits: LastDigits | None = None
    after: Cursor = None
    limit: PageSize = 50


class CorrectedMobileBody(Body):
    """The right mobile: 0912…, +98912…, in any digits."""

    mobile: TypedNumber

    model_config = example(mobile="09351234567")


class ReprintBody(Body):
    """`tracking_code`: to be printed on it, where the citizen gets it on paper."""

    tracking_code: TypedCode | None = None

    model_config = example(tracking_code="4821 0937 5518 2604")


class LostCodeAnswersBody(Body):
    """What the citizen answered, two at least; what the case does not hold is never right. `filed_on`: Jalali or Gregorian."""

    national_id: TypedNumber | None = None
    mobile_digits: LastDigits | None = None
    filed_on: PastDay | None = None
    unit: UnitCode | None = None
    ground: GroundCode | None = None

    model_config = example(mobile_digits="4567", filed_on="1405/09/02")


class LostCodeBody(Body):
    """Which case: by its whole number, as letters name it, or by the number on its receipt."""

    number: WholeCaseNumber | None = None
    receipt_number: UUID | None = None
    answers: LostCodeAnswersBody

    model_config = example(number="1405-000123", answers={"mobile_digits": "4567", "filed_on": "1405/09/02"})


class FiledForMeBody(Body):
    """`mine`: I asked for it; else it is not mine, and the office is told."""

    mine: Flag

    model_config = example(mine=True)
