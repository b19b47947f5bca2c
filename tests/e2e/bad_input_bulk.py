"""What may be wrong with commands for many cases, and with macros."""

from __future__ import annotations

from tests.e2e.bad_input_rows import NOBODY, Command, Wrong, field_wrong, not_for, on_case

_NOTE = {"type": "add_note", "text": "یادداشت"}
_MACRO = {"name": "یادداشت‌ها", "steps": [_NOTE]}
_OTHERS = not_for("liaison", "analyst", "citizen")

BULK: dict[str, Command] = {
    "startBulk": Command(
        "head",
        (
            *_OTHERS,
            *not_for("operator", "administrator", "screener"),  # a screener writes no notes
            field_wrong(cases=[]),
            field_wrong(cases=[{"case_id": NOBODY}] * 2),
            field_wrong(cases=[{"case_id": "x"}]),
            field_wrong(cases=[{"case_id": NOBODY, "expected_version": 0}]),
            field_wrong(cases=[{"case_id": NOBODY}] * 1_001),
            field_wrong(filters={}),  # beside cases
            field_wrong(cases=[], filters={"number": ["x"]}),
            field_wrong(macro_id=NOBODY),  # beside a step
            field_wrong(step=None),
            field_wrong(step={"type": "approve"}),  # nobody approves what they have not read
            field_wrong(step={"type": "add_note", "text": " "}),
            field_wrong(step={**_NOTE, "mention": "all"}),
            field_wrong(step={"type": "refuse", "reason": "i_do_not_want", "explanation": "نه."}),
            field_wrong(step={"type": "remind_in_days", "working_days": 0, "text": "پیگیری"}),
            field_wrong(preview="yes"),
            Wrong(404, "not_found", body={"step": None, "macro_id": NOBODY}),
            Wrong(404, "not_found", body={"cases": [], "search": NOBODY}),
            Wrong(409, "nothing_selected", body={"cases": [], "filters": {"number": ["1390-999999"]}}),
        ),
        body={"step": _NOTE, "cases": [{"case_id": "$case.investigating"}]},
    ),
    "cancelBulk": Command(
        "head",
        (*_OTHERS, Wrong(404, "not_found"), Wrong(422, "invalid_field", of={"bulk_id": "x"})),
        of={"bulk_id": NOBODY},
    ),
    "keepMacro": Command(
        "head",
        (
            *_OTHERS,
            *not_for("operator", "administrator"),  # who gives no commands keeps none for themselves
            Wrong(403, "not_allowed", by="inspector", body={"audience": "inspector"}),
            field_wrong(name=" "),
            field_wrong(steps=[]),
            field_wrong(steps=[_NOTE] * 11),
            field_wrong(steps=[{"type": "add_note", "text": "{nummer}"}]),
            field_wrong(steps=[{"type": "add_note", "text": "{answer_day}"}]),
            field_wrong(steps=[_NOTE, {"type": "approve"}]),
            field_wrong(steps=[{"type": "assign", "inspector": "x"}]),
            field_wrong(steps=[{"type": "refuse", "reason": "i_do_not_want", "explanation": "نه."}]),
            field_wrong(language="de"),
            field_wrong(audience="liaison"),
        ),
        body=_MACRO,
    ),
    "changeMacro": Command(
        "head",
        (
            *_OTHERS,
            Wrong(404, "not_found", by="screener"),  # it is another's own
            Wrong(404, "not_found", of={"macro_id": NOBODY}),
            field_wrong(steps=[{"type": "add_note", "text": "{who}"}]),
            field_wrong(name=""),
        ),
        of={"macro_id": "$macro"},
        body=_MACRO,
        version="$macro",
    ),
    "dropMacro": Command(
        "head",
        (*_OTHERS, Wrong(404, "not_found", by="screener"), Wrong(404, "not_found", of={"macro_id": NOBODY})),
        of={"macro_id": "$macro"},
        version="$macro",
    ),
    "runMacro": on_case(
        "investigating",
        "head",
        None,
        Wrong(404, "not_found", by="inspector", of={"macro_id": "$macro"}),  # it is another's own
        Wrong(404, "not_found", of={"macro_id": NOBODY}),
        Wrong(409, "macro_step_refused", of={"case_id": "$case.registered"}),
        of={"macro_id": "$macro.shared"},
    ),
}
