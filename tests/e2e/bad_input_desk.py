"""What may be wrong with each command of the counter, and with what citizens say of what was filed for them."""

from __future__ import annotations

from tests.e2e.bad_input_rows import NOBODY, Command, Wrong, field_wrong, not_for

_DESK = {"case_id": "$case.desk"}
_OTHERS = {"case_id": "$case.registered"}  # whose citizen filed it themselves

DESK: dict[str, Command] = {
    "correctMobile": Command(
        "operator",
        (
            *not_for("screener", "inspector", "citizen"),
            Wrong(404, "unknown_case", of=_OTHERS),
            Wrong(404, "unknown_case", by="head", of=_OTHERS),
            field_wrong(mobile="021-3344"),
            field_wrong(mobile=9121234567),
            field_wrong(mobile=""),
        ),
        of=_DESK,
        body={"mobile": "09351234567"},
    ),
    "printReceiptAgain": Command(
        "operator",
        (
            *not_for("screener", "inspector", "citizen"),
            Wrong(404, "unknown_case", of=_OTHERS),
            Wrong(404, "unknown_tracking_code", body={"tracking_code": "1234 5678 1234 5678"}),
            field_wrong(tracking_code=1234567812345678),
        ),
        of=_DESK,
        body={},
    ),
    "replaceLostCode": Command(
        "operator",
        (
            *not_for("screener", "inspector", "citizen"),
            Wrong(403, "identity_not_confirmed"),
            field_wrong(number="1405-000001"),  # two ways to name one case
            field_wrong(receipt_number=None),
            field_wrong(answers={"mobile_digits": "123"}),
            field_wrong(answers={"filed_on": "yesterday"}),
            field_wrong(answers={"unit": "Not a unit"}),
            field_wrong(answers=[]),
        ),
        body={"receipt_number": NOBODY, "answers": {"unit": "dep.urb.permits", "ground": "delay"}},
    ),
    "takeCallBack": Command(
        "operator", (*not_for("screener", "inspector", "head", "citizen"), Wrong(404, "not_found"))
    ),
    "recordCall": Command(
        "operator",
        (
            *not_for("screener", "inspector", "head", "citizen"),
            Wrong(404, "unknown_case"),  # no call that this operator was given
            field_wrong(call="/"),
            field_wrong(call="x" * 301),
            field_wrong(call=None),
            field_wrong(result="laughed"),
            field_wrong(score=6),
            field_wrong(score="4"),
        ),
        body={"call": NOBODY, "result": "rated", "score": 4},
    ),
    "answerFiledForMe": Command(
        "citizen",
        (
            *not_for("operator", "head"),
            Wrong(404, "unknown_case"),  # filed without a mobile
            Wrong(404, "unknown_case", of=_OTHERS),
            field_wrong(mine="yes"),
        ),
        of=_DESK,
        body={"mine": True},
    ),
}
