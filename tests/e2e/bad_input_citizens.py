"""What may be wrong with each command of the API: of citizens and of anybody."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.bad_input_rows import (
    BYTES,
    NOBODY,
    OWN_PAGE,
    REPORT,
    TEXT,
    TUS,
    Command,
    Wrong,
    by_code,
    field_wrong,
    not_for,
    own,
    stage,
)
from tests.e2e.people import JSON
from tests.e2e.test_hostile_input import CLOSED
from tests.support.push_service import KEYS_OF_NO_BROWSER

_MISTAKES = (
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
)
SUBMISSIONS: dict[str, Command] = {
    "fileSubmission": Command(
        "nobody",
        (
            *_MISTAKES,
            Wrong(422, "invalid_field", headers={"Idempotency-Key": "short"}),
        ),
        body=REPORT,
    ),
    "checkSubmission": Command("nobody", _MISTAKES, body=REPORT),
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
    "openSession": Command(
        "nobody",
        (
            Wrong(403, "csrf_refused", headers={"X-Peygir-CSRF": ""}),
            Wrong(403, "csrf_refused", headers={"Sec-Fetch-Site": "cross-site"}),
            Wrong(403, "csrf_refused", headers={"Sec-Fetch-Site": "", "Origin": "null"}),
            Wrong(404, "unknown_tracking_code", body={"tracking_code": "1234 5678 1234 5678"}),
            field_wrong(tracking_code=1234567812345678),
            field_wrong(method="password"),
            field_wrong(method="magic"),
        ),
        body={"method": "tracking_code", "tracking_code": "$code.decided"},
        headers=OWN_PAGE,
    ),
    "closeSession": Command(
        "nobody",
        (
            Wrong(403, "csrf_refused", headers={"X-Peygir-CSRF": ""}),
            Wrong(403, "csrf_refused", headers={"Sec-Fetch-Site": "same-site"}),
        ),
        headers={**OWN_PAGE, "Cookie": "peygir-session=a"},
    ),
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
    "renewUpload": Command(
        "nobody",
        (
            Wrong(404, "not_found", of={"upload_id": "$evidence"}),  # a case has it
            Wrong(404, "not_found", of={"upload_id": "n" * 32}),
        ),
        of={"upload_id": "$upload"},
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


def _messages(of: Callable[..., Command], over: Wrong, ending: str) -> dict[str, Command]:
    """What its citizen writes, corrects and takes back. `over`: of a case that is not open."""
    unknown = field_wrong(message_id=NOBODY)
    return {
        f"sendMessage{ending}": of("registered", TEXT, over, field_wrong(text=" "), field_wrong(uploads=["x"])),
        f"correctMessage{ending}": of(
            "registered", {**TEXT, "message_id": NOBODY}, over, unknown, field_wrong(text="")
        ),
        f"withdrawMessage{ending}": of(
            "registered", {"message_id": NOBODY}, over, unknown, field_wrong(message_id="x")
        ),
        f"correctFiled{ending}": of(
            "registered",
            {"text": TEXT["text"] * 10},
            over,
            field_wrong(text="کوتاه"),
            field_wrong(place={"latitude": 91}),
        ),
        f"withdrawEvidence{ending}": of(
            "registered", {"media_id": "x" * 22}, over, field_wrong(media_id="x"), field_wrong(media_id="y" * 22)
        ),
    }


_DEVICE: JSON = {"endpoint": "https://127.0.0.3:9/of-these-bodies", "keys": KEYS_OF_NO_BROWSER}
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
    "sendCodeBySms": by_code(
        "registered", {"mobile": "09350000000"}, field_wrong(mobile="021-33"), field_wrong(mobile="")
    ),
    "findSimilarOwnCases": Command(
        "citizen",
        (*not_for("inspector"), field_wrong(text="\u202e"), field_wrong(unit="x" * 200)),
        body={"unit": "dep.civ.roads", "text": "آسفالت"},
    ),
    "deleteMe": Command(
        "citizen",
        (*not_for("inspector"), Wrong(401, "bad_code", body={"code": "کد"}), field_wrong(code="")),
        body={"code": "000000"},
    ),
    **_messages(by_code, Wrong(409, "wrong_stage", by="code of decided"), "ByCode"),
    **_messages(own, stage("decided"), ""),
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
        Wrong(409, "wrong_stage", by="code of past"),
        field_wrong(score=6),
        field_wrong(score="4"),
    ),
    "markMessagesReadByCode": by_code("decided", {"ids": []}, field_wrong(ids=["x"])),
    "subscribePush": Command(
        "code of decided",
        (
            Wrong(401, "not_authenticated", by="nobody"),
            field_wrong(endpoint="https://partner.example/push"),
            field_wrong(endpoint="https://10.0.0.1/push"),
            field_wrong(keys={**_DEVICE["keys"], "p256dh": "B" * 87}),
            field_wrong(keys={**_DEVICE["keys"], "auth": "short"}),
            field_wrong(expirationTime=1),
        ),
        body=_DEVICE,
    ),
    "unsubscribePush": Command(
        "code of decided",
        (Wrong(401, "not_authenticated", by="nobody"), Wrong(404, "not_found")),
        of={"subscription_id": NOBODY},
    ),
    "changeOwnPreferences": Command(
        "citizen",
        (
            field_wrong(channel="pigeon"),
            field_wrong(language="de"),
            field_wrong(quiet={"start": "22:00", "until": "24:00"}),
        ),
        body={"channel": "push"},
    ),
    "changePreferencesByCode": by_code(
        "decided", {"channel": "sms"}, field_wrong(channel=None), field_wrong(quiet={"start": "22:00"})
    ),
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
    "answerQuestion": own("asked", TEXT, stage("decided"), stage("past"), field_wrong(uploads=["x"])),
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
