"""Which cases are called, and what comes of a call. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil

from contracts.call_backs import MOST_ATTEMPTS, CallResult, CaseRatedByPhone, RecordCall
from contracts.errors import WrongStage
from services.tracking.case.lifecycle import Case, Change
from services.tracking.case.rules import may_rate
from services.tracking.case.transitions import change_of, wrong

_SATURDAY = 5
ANSWERS = ("score", "informed_clearly", "treated_well", "on_time", "asked_improper")


def week_of(day: date) -> date:
    """The Saturday on which the week of this day began."""
    return day - timedelta(days=(day.weekday() - _SATURDAY) % 7)


def sample_size(eligible: int, share: int, most: int) -> int:
    """How many cases are drawn of so many: `share` percent, rounded up, and `most` at most."""
    return min(ceil(eligible * share / 100), most)


@dataclass(frozen=True)
class CallState:
    """`state`: as CallBackState has it, or taken; `next_on`: not called before that day."""

    state: str
    attempts: int
    next_on: date | None = None


def after_call(attempts: int, result: CallResult, today: date) -> CallState:
    """Who was not reached is called again on another day, three times in all."""
    made = attempts + 1
    if result != "not_reached":
        return CallState(result, made)
    if made >= MOST_ATTEMPTS:
        return CallState("not_reached", made)
    return CallState("waiting", made, today + timedelta(days=1))


def rated_by_phone(case: Case, call: RecordCall, today: date) -> Change:
    """What the citizen said on the phone, recorded as such. WrongStage where they may not rate any more, or have meanwhile."""
    if call.score is None:
        raise wrong("score", "missing")
    if case.score is not None or not may_rate(case, today):
        raise WrongStage(stage=case.stage, command="record_call")
    details = {name: value for name in ANSWERS if (value := getattr(call, name)) is not None}
    after = replace(case, score=call.score)
    return change_of(
        case,
        after,
        "rated_by_phone",
        CaseRatedByPhone,
        details=details,
        fields={"score": call.score},
    )


def check_answers(call: RecordCall) -> None:
    """InvalidField for answers of somebody who gave none."""
    for name in ANSWERS:
        if call.result != "rated" and getattr(call, name) is not None:
            raise wrong(name, "only_with_a_rating")
