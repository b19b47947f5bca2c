"""Every command at the door with what may be wrong about it: one right request, and what one change makes of it.

`$name` stands for what the office of the walk has (`bad_input_office.py`). What every command has in common (no token, no
version, an old one, an unknown field, …) is not written here: `test_bad_input.py` takes it from the document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.e2e.people import JSON
from tests.e2e.test_hostile_input import CLOSED

NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that nothing has."""


@dataclass(frozen=True)
class Wrong:
    """One change and what comes of it. `by`: another than who may; `of`: other ids in the path; `body`: fields instead."""

    status: int
    code: str
    by: str = ""
    of: JSON = field(default_factory=dict)
    body: JSON = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A request that would be right where the case is. `by`: an account, `citizen`, `code of <case>` or nobody;
    `version`: the thing whose version If-Match carries."""

    by: str
    wrong: tuple[Wrong, ...]
    of: JSON = field(default_factory=dict)
    body: JSON | None = None
    version: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def stage(name: str) -> Wrong:
    return Wrong(409, "wrong_stage", of={"case_id": f"$case.{name}"})


def not_for(*roles: str) -> tuple[Wrong, ...]:
    return tuple(Wrong(403, "not_allowed", by=role) for role in roles)


def field_wrong(**body: Any) -> Wrong:
    return Wrong(422, "invalid_field", body=body)


def on_case(name: str, by: str, body: JSON | None, *wrong: Wrong, **more: Any) -> Command:
    """A command of staff on the case of this name."""
    of = {"case_id": f"$case.{name}", **more.pop("of", {})}
    liaison = Wrong(403, "not_allowed", by="liaison")
    citizen = Wrong(403, "not_allowed", by="citizen")
    conflict = Wrong(404, "unknown_case", by="screener.permits")
    return Command(by, (liaison, citizen, conflict, *wrong), of, body, version=f"$case.{name}", **more)


def by_code(name: str, body: JSON | None, *wrong: Wrong) -> Command:
    """A command of who holds the code of the case of this name."""
    return Command(f"code of {name}", wrong, body=body)


def own(name: str, body: JSON | None, *wrong: Wrong) -> Command:
    """The same of the citizen who filed it, signed in."""
    of = {"case_id": f"$case.{name}"}
    theirs = Wrong(404, "unknown_case", by="stranger")
    return Command("citizen", (theirs, *not_for("inspector"), *wrong), of, body)


def configured(body: JSON | None, *wrong: Wrong, **of: str) -> Command:
    """A change of the administrator's."""
    return Command(
        "administrator", (*not_for("head", "screener", "citizen"), *wrong), of, body, version="$configuration"
    )


TEXT: JSON = {"text": "چه روزی مراجعه کردید؟"}
DECISION: JSON = {"outcome": "upheld", "reasons": "بی‌اقدام مانده است.", "root_causes": ["process"]}
REFUSAL: JSON = {"reason": "outside_remit", "explanation": "در صلاحیت شهرداری نیست."}
REPORT: JSON = {
    "kind": "information",
    "unit": "dep.civ.roads",
    "ground": "waste",
    "text": "آسفالت نو دوباره کنده شد.",
    "consent": True,
}
SLOT: JSON = {
    "room_id": "$room",
    "inspector": "$inspector",
    "starts_at": "2098-12-01T09:00:00+03:30",
    "ends_at": "2098-12-01T10:00:00+03:30",
}
WEEK: JSON = {
    "room_id": "$room",
    "inspector": "$inspector",
    "first_day": "2098-11-01",
    "opens": "08:00",
    "closes": "10:00",
    "minutes": 30,
}
UNIT: JSON = {"parent": "dep.urb", "level": "office", "name_fa": "اداره آزمون", "name_en": "Office of the test"}
NAMES: JSON = {"name_fa": "نام", "name_en": "Name"}
MEMBER: JSON = {"display_name": "آزمون", "roles": ["operator"], "unit": "mayor.insp", "active": True}
WORDS: JSON = {"text_fa": "{kind} شما تمام شد.\n{code}", "text_en": "Your {kind} is over.\n{code}"}
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}

SUBMISSIONS: dict[str, Command] = {
    "fileSubmission": Command(
        "nobody",
        (
            field_wrong(text="کوتاه"),
            Wrong(422, "unknown_unit", body={"unit": "no.such.unit"}),
            Wrong(422, "unknown_unit", body={"unit": "mq"}),  # the root is none that is complained about
            Wrong(422, "closed_unit", body={"unit": CLOSED}),
            Wrong(422, "unknown_ground", body={"ground": "nowhere"}),
            Wrong(422, "ground_not_for_kind", body={"ground": "delay"}),
            field_wrong(consent=False),
            field_wrong(answers={"no_such_question": "1"}),
            field_wrong(identity={"name": "نام"}),  # an anonymous one with a name
            field_wrong(channel="counter"),
            field_wrong(group={"members": 1}),
            Wrong(401, "identity_needed", body={"kind": "complaint", "ground": "delay", "anonymous": False}),
            Wrong(403, "not_allowed", by="screener"),
            Wrong(422, "invalid_field", headers={"Idempotency-Key": "short"}),
        ),
        body=REPORT,
    ),
    "checkReceipt": Command(
        "code of decided",
        (Wrong(404, "unknown_case", body={"submission_id": "$case.registered"}), field_wrong(submission_id="x")),
        body={"submission_id": "$case.decided"},
    ),
    "findCaseByCode": Command(
        "nobody",
        (
            Wrong(404, "unknown_tracking_code", body={"tracking_code": "1234 5678 1234 5678"}),
            Wrong(404, "unknown_tracking_code", body={"tracking_code": "کد"}),
            field_wrong(tracking_code=1234567812345678),
        ),
        body={"tracking_code": "$code.decided"},
    ),
    "requestOneTimeCode": Command(
        "nobody", (field_wrong(mobile="021-33"), field_wrong(otp_session="no session")), body={"mobile": "09350000000"}
    ),
    "signInCitizen": Command(
        "nobody",
        (Wrong(401, "bad_code", body={"code": "کد"}), field_wrong(mobile="021-33"), field_wrong(otp_session="")),
        body={"mobile": "09350000000", "code": "000000"},
    ),
    "signInStaff": Command(
        "nobody",
        (Wrong(401, "bad_credentials", body={"totp": "x"}), field_wrong(username=""), field_wrong(device_token="é")),
        body={"username": "nobody-of-the-walk", "password": "x", "totp": "000000"},
    ),
    "refreshTokens": Command(
        "nobody", (Wrong(401, "bad_token"), field_wrong(refresh_token="")), body={"refresh_token": "x"}
    ),
    "signOut": Command("nobody", (field_wrong(refresh_token=7),), body={"refresh_token": "x"}),
    "receiveSms": Command(
        "nobody",
        (Wrong(404, "not_found", of={"secret": "guessed"}),),
        of={"secret": "$webhook"},
        body={"from": "09350000000", "to": "3000", "message": "سلام", "messageid": "1"},
    ),
    "reportDelivery": Command(
        "nobody",
        (Wrong(404, "not_found", of={"secret": "guessed"}),),
        of={"secret": "$webhook"},
        body={"messageid": "1", "status": "10"},
    ),
    "receiveSmsPush": Command(
        "nobody",
        tuple(
            Wrong(404, "not_found", of=of) for of in ({"secret": "guessed"}, {"provider": "nobody"}, {"kind": "voice"})
        ),
        of={"provider": "kavenegar", "secret": "$webhook", "kind": "delivery"},
        body={"messageid": "1", "status": "10"},
    ),
    "createUpload": Command(
        "nobody",
        (
            Wrong(412, "tus_version", headers={"Tus-Resumable": "0.2"}),
            Wrong(400, "bad_request", headers={"Upload-Length": "-1"}),
            Wrong(413, "too_large", headers={"Upload-Length": str(10**12)}),
            Wrong(400, "bad_request", headers={"Upload-Metadata": "filename !"}),
        ),
        headers={**TUS, "Upload-Length": "10"},
    ),
    "sendUploadBytes": Command(
        "nobody",
        (
            Wrong(409, "offset_conflict", headers={"Upload-Offset": "3"}),
            Wrong(404, "not_found", of={"upload_id": "n" * 32}),
            Wrong(415, "unsupported_media", headers={"Content-Type": "text/plain"}),
            Wrong(460, "checksum_mismatch", headers={"Upload-Checksum": "sha1 Lve95gjOVATpfV8EL5X4nxwjKHE="}),
        ),
        of={"upload_id": "$upload"},
        headers=BYTES,
    ),
    "terminateUpload": Command(
        "nobody",
        (
            Wrong(404, "not_found", of={"upload_id": "$evidence"}),  # a case has it
            Wrong(404, "not_found", of={"upload_id": "n" * 32}),
        ),
        of={"upload_id": "$upload"},
        headers=TUS,
    ),
}

_RATING: JSON = {"score": 4}
_SLOT_WRONG = (
    Wrong(409, "slot_taken", body={"slot_id": "$slot.full"}),
    Wrong(409, "slot_past", body={"slot_id": "$slot.past"}),
    Wrong(404, "unknown_slot", body={"slot_id": NOBODY}),
    field_wrong(slot_id="x"),
)
CITIZENS: dict[str, Command] = {
    "answerQuestionByCode": by_code(
        "asked", TEXT, Wrong(409, "wrong_stage", by="code of decided"), field_wrong(text=" ")
    ),
    "sendEvidenceByCode": by_code(
        "registered",
        {"uploads": ["$upload"]},
        Wrong(409, "wrong_stage", by="code of decided"),
        field_wrong(uploads=[]),
        field_wrong(uploads=["x"]),
    ),
    "sendEvidence": own(
        "registered", {"uploads": ["$upload"]}, stage("decided"), stage("withdrawn"), field_wrong(uploads=[])
    ),
    "withdrawByCode": by_code(
        "registered",
        {},
        Wrong(409, "wrong_stage", by="code of decided"),
        Wrong(409, "wrong_stage", by="code of merged"),
    ),
    "objectByCode": by_code(
        "decided",
        TEXT,
        Wrong(409, "wrong_stage", by="code of past"),  # the days to object are over
        Wrong(409, "wrong_stage", by="code of registered"),
        field_wrong(text=""),
    ),
    "rateByCode": by_code(
        "decided",
        _RATING,
        Wrong(409, "wrong_stage", by="code of registered"),
        field_wrong(score=6),
        field_wrong(score="4"),
    ),
    "markMessagesReadByCode": by_code("decided", {"ids": []}, field_wrong(ids=["x"])),
    "askVisitByCode": by_code(
        "registered",
        {},
        Wrong(409, "wrong_visit_state", by="code of wishing"),
        Wrong(409, "wrong_stage", by="code of past"),
    ),
    "bookVisitByCode": by_code(
        "wishing",
        {"slot_id": "$slot.free"},
        *_SLOT_WRONG,
        Wrong(409, "wrong_visit_state", by="code of registered"),
    ),
    "moveVisitByCode": by_code(
        "booked", {"slot_id": "$slot.free"}, *_SLOT_WRONG, Wrong(409, "wrong_visit_state", by="code of wishing")
    ),
    "cancelVisitByCode": by_code("booked", {}, Wrong(409, "wrong_visit_state", by="code of registered")),
    "answerQuestion": own("asked", TEXT, stage("decided"), field_wrong(uploads=["x"])),
    "withdraw": own("registered", {}, stage("decided"), stage("withdrawn"), stage("refused")),
    "object": own("decided", TEXT, stage("past"), stage("registered"), field_wrong(text="\u202e")),
    "rate": own(
        "decided", _RATING, stage("investigating"), stage("past"), field_wrong(score=0), field_wrong(on_time="yes")
    ),
    "markOwnMessagesRead": Command("citizen", (*not_for("head"), field_wrong(ids="all")), body={"ids": []}),
    "askVisit": own("registered", {}, stage("past"), Wrong(409, "wrong_visit_state", of={"case_id": "$case.wishing"})),
    "bookVisit": own("wishing", {"slot_id": "$slot.free"}, *_SLOT_WRONG),
    "moveVisit": own("booked", {"slot_id": "$slot.free"}, *_SLOT_WRONG),
    "cancelVisit": own("booked", {}, Wrong(409, "wrong_visit_state", of={"case_id": "$case.registered"})),
}

STAFF: dict[str, Command] = {
    "startScreening": on_case("registered", "screener", {}, stage("decided"), stage("withdrawn"), *not_for("operator")),
    "correctCase": on_case(
        "screening",
        "screener",
        {"urgent": True},
        stage("registered"),
        stage("merged"),
        Wrong(422, "unknown_unit", body={"unit": "no.such.unit"}),
        Wrong(422, "closed_unit", body={"unit": CLOSED}),
        Wrong(422, "unknown_ground", body={"ground": "nowhere"}),
        Wrong(422, "ground_not_for_kind", body={"ground": "waste"}),
        field_wrong(urgent=False),  # changes nothing
        field_wrong(urgent="yes"),
    ),
    "refuseCase": on_case(
        "screening", "screener", REFUSAL, stage("investigating"), field_wrong(reason="i_do_not_want")
    ),
    "mergeCase": on_case(
        "screening",
        "screener",
        {"into": "$case.registered"},
        stage("decided"),
        field_wrong(into=NOBODY),
        field_wrong(into="$case.screening"),
        field_wrong(into="$case.refused"),
    ),
    "assignCase": on_case(
        "screening",
        "screener",
        {"inspector": "$inspector"},
        stage("registered"),
        field_wrong(inspector=NOBODY),
        field_wrong(inspector="$head"),
        Wrong(409, "already_handles", of={"case_id": "$case.investigating"}),
    ),
    "askCitizen": on_case("investigating", "head", TEXT, stage("asked"), *not_for("screener"), field_wrong(text=" ")),
    "askUnit": on_case(
        "investigating",
        "head",
        TEXT,
        stage("awaiting_unit"),
        *not_for("screener"),
        Wrong(422, "unknown_unit", body={"unit": "mq"}),
        Wrong(422, "closed_unit", body={"unit": CLOSED}),
        Wrong(422, "unknown_upload", body={"media": ["n" * 32]}),
    ),
    "addNote": on_case(
        "investigating", "head", TEXT, stage("registered"), *not_for("screener"), field_wrong(mentions=["$liaison"])
    ),
    "addEvidence": on_case(
        "investigating",
        "head",
        {"uploads": ["$upload"]},
        stage("decided"),
        *not_for("screener"),
        field_wrong(uploads=[]),
        field_wrong(uploads=["x"]),
    ),
    "decideCase": on_case(
        "investigating",
        "head",
        DECISION,
        stage("screening"),
        stage("asked"),
        *not_for("screener"),
        field_wrong(root_causes=[]),  # upheld, and nobody says why
        field_wrong(outcome="guilty"),
    ),
    "closeCase": on_case("refused", "head", {}, stage("decided"), stage("investigating"), *not_for("screener")),
    "proposeDecision": on_case(
        "investigating", "head", DECISION, stage("decided"), *not_for("screener"), field_wrong(root_causes=[])
    ),
    "approveDecision": on_case(
        "proposed", "head", {}, stage("investigating"), *not_for("screener", "inspector"), field_wrong(reasons="x")
    ),
    "returnDecision": on_case(
        "proposed",
        "head",
        {"reason": "کامل نیست."},
        stage("investigating"),
        *not_for("inspector"),
        field_wrong(reason=""),
    ),
    "settleRecommendation": on_case(
        "decided",
        "head",
        {"accepted": True},
        Wrong(409, "wrong_stage"),  # the unit has not reported yet
        Wrong(404, "not_found", of={"recommendation_id": NOBODY}),
        Wrong(422, "invalid_field", of={"recommendation_id": "x"}),
        field_wrong(accepted="yes"),
        of={"recommendation_id": "$recommendation"},
    ),
    "setReminder": on_case(
        "investigating",
        "head",
        {"on": "2098-01-01", "text": "پیگیری"},
        stage("registered"),
        *not_for("screener"),
        field_wrong(on="2020-01-01"),
        field_wrong(on="tomorrow"),
    ),
    "addCheck": on_case("investigating", "head", TEXT, stage("decided"), *not_for("screener"), field_wrong(text="")),
    "tickCheck": on_case(
        "investigating",
        "head",
        {"done": True},
        stage("decided"),
        *not_for("screener"),
        field_wrong(done=False),  # changes nothing
        Wrong(422, "invalid_field", of={"item_id": NOBODY}),
        of={"item_id": "$check"},
    ),
    "linkCase": on_case(
        "investigating",
        "head",
        {"to": "$case.decided"},
        stage("registered"),
        *not_for("screener"),
        field_wrong(to=NOBODY),
        field_wrong(to="$case.investigating"),
        field_wrong(linked=False),
    ),
    "openIdentity": Command(
        "head",
        (
            *not_for("inspector", "screener", "analyst", "citizen"),
            Wrong(404, "unknown_case", of={"case_id": NOBODY}),
            Wrong(403, "consent_needed", of={"case_id": "$case.screening"}),
            field_wrong(reason="چرا"),
        ),
        of={"case_id": "$case.registered"},
        body={"reason": "برای دعوت به جلسه"},
    ),
    "askForIdentity": Command(
        "head",
        (
            *not_for("inspector", "screener", "analyst", "citizen"),
            Wrong(404, "unknown_case", of={"case_id": NOBODY}),
            field_wrong(reason="چرا"),
            field_wrong(minutes=0),
            field_wrong(minutes="60"),
            field_wrong(minutes=1_441),
        ),
        of={"case_id": "$case.registered"},
        body={"reason": "برای دعوت به جلسه", "minutes": 30},
    ),
    "decideIdentityRequest": Command(
        "custodian",
        (
            *not_for("head", "inspector", "screener", "analyst", "citizen"),
            Wrong(404, "not_found", of={"request_id": NOBODY}),
            Wrong(422, "invalid_field", of={"request_id": "x"}),
            field_wrong(consent="yes"),
            field_wrong(reason="چرا"),
        ),
        of={"request_id": "$identity_request"},
        body={"consent": False},
    ),
    "assignCases": Command(
        "screener",
        (
            *not_for("inspector", "liaison", "citizen"),
            field_wrong(cases=[]),
            field_wrong(cases=[{"case_id": "x", "expected_version": 1}]),
        ),
        body={"cases": [{"case_id": "$case.screening", "expected_version": 1}]},
    ),
    "handOverCases": Command(
        "head", (*not_for("inspector", "liaison", "citizen"), field_wrong(leaver="x")), body={"leaver": NOBODY}
    ),
    "setSkills": Command(
        "head",
        (
            *not_for("screener", "inspector", "liaison"),
            Wrong(404, "not_found", of={"inspector": NOBODY}),
            Wrong(404, "not_found", of={"inspector": "$head"}),
            field_wrong(grounds="delay"),
        ),
        of={"inspector": "$inspector"},
        body={"grounds": []},
    ),
    "markMessagesRead": Command("head", (*not_for("citizen"), field_wrong(ids=[1])), body={"ids": []}),
    "reportRecommendation": Command(
        "liaison",
        (
            *not_for("head", "inspector", "citizen"),
            field_wrong(done=False),  # declined without a reason
            Wrong(404, "not_found", of={"recommendation_id": NOBODY}),
        ),
        of={"recommendation_id": "$recommendation"},
        body={"done": True},
    ),
    "answerUnitQuestion": Command(
        "liaison",
        (
            *not_for("head", "inspector", "citizen"),
            Wrong(404, "not_found", of={"question_id": NOBODY}),
            Wrong(409, "wrong_stage", of={"question_id": "$question.answered"}),
            field_wrong(text=""),
        ),
        of={"question_id": "$question"},
        body=TEXT,
    ),
}

VISITS: dict[str, Command] = {
    "addRoom": Command(
        "head",
        (*not_for("inspector", "screener", "citizen"), field_wrong(name_fa=" "), field_wrong(name_en="evil.xyz")),
        body=NAMES,
    ),
    "closeRoom": Command(
        "head",
        (*not_for("inspector", "citizen"), Wrong(404, "unknown_room", of={"room_id": NOBODY})),
        of={"room_id": "$room"},
        body={},
    ),
    "addVisitSlot": Command(
        "head",
        (
            *not_for("inspector", "citizen"),
            Wrong(404, "unknown_room", body={"room_id": NOBODY}),
            Wrong(409, "slot_overlap", body={"starts_at": "$full.starts", "ends_at": "$full.ends"}),
            Wrong(409, "slot_past", body={"starts_at": "2020-01-01T09:00:00Z", "ends_at": "2020-01-01T10:00:00Z"}),
            field_wrong(ends_at="2098-12-01T08:00:00+03:30"),
            field_wrong(capacity=0),
            field_wrong(inspector=NOBODY),
        ),
        body=SLOT,
    ),
    "makeWeekOfVisitSlots": Command(
        "head",
        (
            *not_for("inspector", "citizen"),
            Wrong(404, "unknown_room", body={"room_id": NOBODY}),
            field_wrong(opens="25:00"),
            field_wrong(minutes=1),
            field_wrong(first_day="2098-13-01"),
        ),
        body=WEEK,
    ),
    "closeVisitSlot": Command(
        "head",
        (
            *not_for("inspector", "citizen"),
            Wrong(404, "unknown_slot", of={"slot_id": NOBODY}),
            Wrong(409, "slot_in_use", of={"slot_id": "$slot.full"}),
        ),
        of={"slot_id": "$slot.free"},
        body={},
    ),
    "offerVisitSlots": on_case(
        "wishing",
        "head",
        {"slots": ["$slot.free"]},
        Wrong(409, "wrong_visit_state", of={"case_id": "$case.investigating"}),
        Wrong(409, "slot_past", body={"slots": ["$slot.past"]}),
        Wrong(404, "unknown_slot", body={"slots": [NOBODY]}),
        field_wrong(slots=[]),
    ),
    "callOffVisit": on_case(
        "booked", "head", {}, Wrong(409, "wrong_visit_state", of={"case_id": "$case.investigating"})
    ),
    "holdVisit": on_case(
        "booked",
        "head",
        TEXT,
        Wrong(409, "visit_not_begun"),
        Wrong(409, "wrong_visit_state", of={"case_id": "$case.wishing"}),
        field_wrong(text=""),
    ),
    "missVisit": on_case(
        "booked",
        "head",
        {},
        Wrong(409, "visit_not_begun"),
        Wrong(409, "wrong_visit_state", of={"case_id": "$case.wishing"}),
    ),
}

ADMINISTRATION: dict[str, Command] = {
    "putUnit": configured(
        UNIT,
        field_wrong(parent="no.such.unit"),
        field_wrong(parent=None),  # a second root
        field_wrong(name_fa=" "),
        field_wrong(level=" "),
        field_wrong(active="no"),
        unit="test.of.the.walk",
    ),
    "putGround": configured(
        {**NAMES, "kinds": ["complaint"]},
        field_wrong(kinds=["gossip"]),
        field_wrong(questions=[{"code": "x", "type": "choice", **NAMES}]),
        ground="walk",
    ),
    "putRefusalReason": configured(
        NAMES, field_wrong(name_en=""), field_wrong(name_fa="bit[.]ly"), field_wrong(active=0), reason="repeat"
    ),
    "putRootCause": configured(NAMES, field_wrong(name_fa=""), field_wrong(active="true"), cause="people"),
    "putAnswerTemplate": configured(
        {"text_fa": "متن", "text_en": "Text"}, field_wrong(text_fa=" "), field_wrong(ground="nowhere"), template="walk"
    ),
    "removeAnswerTemplate": configured(None, Wrong(422, "invalid_field", of={"template": "%20"}), template="walk"),
    "setCalendar": configured(
        {"weekend": [4]},
        field_wrong(weekend=[0, 1, 2, 3, 4, 5, 6]),
        field_wrong(holidays=["tomorrow"]),
        field_wrong(holidays=[0]),
        field_wrong(weekend=["4"]),
    ),
    "setDeadlines": configured(
        {"deadlines": [{"days": 7}]},
        field_wrong(deadlines=[{"days": 0}]),
        field_wrong(deadlines=[{"days": "7"}]),
        field_wrong(deadlines=[{"days": True}]),
        field_wrong(deadlines=[{"days": 7, "urgent": "yes"}]),
        field_wrong(deadlines=[{"days": 7, "kind": "gossip"}]),
        field_wrong(deadlines=[{"days": 7, "ground": "nowhere"}]),
    ),
    "setDecisionRules": configured(
        {"auto_close_days": 11}, field_wrong(auto_close_days=0), field_wrong(four_eyes=["x"])
    ),
    "setRetention": configured(
        {"retention": [{"kind": "complaint", "identity_months": 12, "evidence_months": 12}]},
        field_wrong(retention=[{"kind": "complaint", "identity_months": 0, "evidence_months": 12}]),
        field_wrong(retention=[{"kind": "complaint", "identity_months": "12", "evidence_months": 12}]),
        field_wrong(retention=[{"kind": "complaint", "identity_months": 12, "evidence_months": 12}] * 2),
    ),
    "addStaff": Command(
        "administrator",
        (
            *not_for("head", "citizen"),
            field_wrong(username="administrator"),  # there is one already
            field_wrong(roles=[]),
            field_wrong(roles=["boss"]),
            field_wrong(roles=["liaison"], unit=None),  # a liaison answers for a unit
            Wrong(422, "unknown_unit", body={"unit": "no.such.unit"}),
        ),
        body={"username": "walk-desk", "display_name": "آزمون", "roles": ["operator"], "unit": "mayor.insp"},
    ),
    "changeStaff": Command(
        "administrator",
        (
            *not_for("head", "citizen"),
            Wrong(404, "not_found", of={"staff_id": NOBODY}),
            Wrong(422, "unknown_unit", body={"unit": "no.such.unit"}),
            field_wrong(display_name=" "),
            field_wrong(active="no"),
        ),
        of={"staff_id": "$analyst"},
        body=MEMBER,
        version="$analyst",
    ),
    "resetStaffCredentials": Command(
        "administrator",
        (*not_for("head", "citizen"), Wrong(404, "not_found", of={"staff_id": NOBODY})),
        of={"staff_id": "$analyst"},
    ),
    "confirmStaffChange": Command(
        "administrator2",
        (
            *not_for("head", "custodian", "citizen"),
            Wrong(404, "not_found", of={"change_id": NOBODY}),
            Wrong(422, "invalid_field", of={"change_id": "x"}),
            Wrong(409, "second_administrator_needed", by="administrator"),  # who asked for it
            Wrong(409, "already_decided", of={"change_id": "$staff_change.denied"}),
        ),
        of={"change_id": "$staff_change"},
    ),
    "denyStaffChange": Command(
        "administrator2",
        (
            *not_for("head", "custodian", "citizen"),
            Wrong(404, "not_found", of={"change_id": NOBODY}),
            Wrong(422, "invalid_field", of={"change_id": "x"}),
            Wrong(409, "already_decided", by="administrator", of={"change_id": "$staff_change.denied"}),
        ),
        of={"change_id": "$staff_change"},
    ),
    "changeNotificationText": Command(
        "administrator",
        (
            *not_for("head", "citizen"),
            Wrong(404, "not_found", of={"name": "no_such_text"}),
            field_wrong(text_fa="بی‌کد"),
            field_wrong(text_en="{code} https://qazvin.ir"),
            field_wrong(text_fa="{no_such_value}\n{code}"),
        ),
        of={"channel": "sms", "name": "withdrawn"},
        body=WORDS,
        version="$text",
    ),
    "restoreNotificationText": Command(
        "administrator",
        (*not_for("head", "citizen"), Wrong(404, "not_found", of={"name": "no_such_text"})),
        of={"channel": "sms", "name": "withdrawn"},
        version="$text",
    ),
}

SEARCHES: dict[str, Command] = {
    "keepSearch": Command(
        "screener",
        (
            *not_for("liaison", "citizen"),
            field_wrong(name=" "),
            field_wrong(filters={"stage": ["nowhere"]}),
            field_wrong(filters={"filed_from": "1405/13/01"}),
            field_wrong(shared_with="everybody"),
            field_wrong(sort="text"),
        ),
        body={"name": "دیرکرد", "filters": {"ground": ["delay"]}},
    ),
    "changeSearch": Command(
        "head",
        (
            *not_for("liaison", "citizen"),
            Wrong(404, "not_found", by="screener"),  # it is not shared
            Wrong(404, "not_found", of={"search_id": NOBODY}),
            field_wrong(name=""),
        ),
        of={"search_id": "$search"},
        body={"name": "دیرکردها"},
        version="$search",
    ),
    "dropSearch": Command(
        "head",
        (
            *not_for("liaison", "citizen"),
            Wrong(404, "not_found", by="screener"),
            Wrong(404, "not_found", of={"search_id": NOBODY}),
        ),
        of={"search_id": "$search"},
        version="$search",
    ),
    "startExport": Command(
        "head",
        (
            *not_for("liaison", "citizen"),
            field_wrong(format="pdf"),
            field_wrong(filters={"kind": ["gossip"]}),
            Wrong(404, "not_found", body={"search": NOBODY}),
        ),
        body={"format": "csv"},
    ),
    "dropExport": Command(
        "head",
        (*not_for("liaison", "citizen"), Wrong(404, "not_found"), Wrong(422, "invalid_field", of={"export_id": "x"})),
        of={"export_id": NOBODY},
    ),
}

PAPERS: dict[str, Command] = {
    "printReceipt": Command(
        "nobody",
        (Wrong(404, "not_genuine"), field_wrong(key="x"), field_wrong(payload=7)),
        body={"payload": "e30", "signature": "AAAA", "key": "0" * 16},
    ),
    "checkPaper": Command("nobody", (field_wrong(seal=""), field_wrong(seal=["x"])), body={"seal": "x"}),
}

COMMANDS: dict[str, Command] = {
    **SUBMISSIONS,
    **CITIZENS,
    **STAFF,
    **VISITS,
    **ADMINISTRATION,
    **SEARCHES,
    **PAPERS,
}
