"""What may be wrong with each command of the API: of staff, on cases."""

from __future__ import annotations

from backbone.persian import jalali
from contracts.base import now
from tests.e2e.bad_input_rows import (
    DECISION,
    NOBODY,
    REFUSAL,
    TEXT,
    Command,
    Wrong,
    field_wrong,
    not_for,
    on_case,
    stage,
)
from tests.e2e.test_hostile_input import CLOSED

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
        Wrong(422, "ground_not_for_kind", body={"kind": "information"}),
        stage("decided"),
        field_wrong(urgent=False),  # changes nothing
        field_wrong(urgent="yes"),
    ),
    "refuseCase": on_case(
        "screening", "screener", REFUSAL, stage("investigating"), field_wrong(reason="i_do_not_want")
    ),
    "settleEarly": on_case(
        "screening",
        "screener",
        {
            "agreement": "راضی شدند.",
            "agreed_at": "$now",
            "agreed_by": "phone",
            "consented": True,
            "reasons": "با توافق شما پایان یافت.",
        },
        stage("registered"),
        stage("investigating"),
        *not_for("operator"),
        Wrong(404, "unknown_case", by="inspector"),  # nobody has assigned it to them
        field_wrong(consented=False),
        field_wrong(agreed_at="2098-01-01T00:00:00Z"),
        field_wrong(agreed_at="2020-01-01T00:00:00Z"),
        field_wrong(agreed_by="dream"),
        field_wrong(agreement=" "),
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
    "notePresence": on_case(
        "investigating",
        "head",
        {"state": "looking"},
        *not_for("analyst", "operator"),
        field_wrong(state="asleep"),
        field_wrong(state=None),
    ),
    "endPresence": on_case("investigating", "head", None, *not_for("analyst", "operator")),
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
        field_wrong(redacts="n" * 32),  # no attachment of the case
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
    "returnToScreening": on_case(
        "investigating",
        "head",
        {"reason": "واحد دیگری است."},
        stage("registered"),
        stage("decided"),
        stage("refused"),
        field_wrong(reason=" "),
    ),
    "reopenCase": on_case(
        "refused",
        "head",
        {"reason": "اشتباه ما بود."},
        stage("investigating"),
        stage("withdrawn"),
        *not_for("screener"),
        field_wrong(reason=""),
    ),
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
    "addCoHandler": on_case(
        "answered",
        "head",
        {"inspector": "$inspector2"},
        stage("decided"),
        *not_for("screener"),
        field_wrong(inspector=NOBODY),
        field_wrong(inspector="$liaison"),
        Wrong(409, "already_handles", body={"inspector": "$inspector"}),
        Wrong(422, "invalid_field", of={"case_id": "$case.investigating"}),  # it has one
    ),
    "removeCoHandler": on_case(
        "investigating",
        "head",
        {},
        stage("decided"),
        *not_for("screener", "inspector2"),
        Wrong(422, "invalid_field", of={"inspector": NOBODY}),
        of={"inspector": "$inspector2"},
    ),
    "consultColleague": on_case(
        "answered",
        "head",
        {"colleague": "$inspector2", **TEXT},
        stage("decided"),
        *not_for("screener"),
        field_wrong(colleague=NOBODY),
        field_wrong(text=" "),
        Wrong(422, "invalid_field", of={"case_id": "$case.investigating"}),  # they see it already
    ),
    "answerConsultation": on_case(
        "awaiting_unit",
        "inspector2",
        TEXT,
        Wrong(403, "not_allowed", by="head"),
        Wrong(403, "not_allowed", by="inspector"),
        field_wrong(text=""),
        of={"consultation_id": "$consultation"},
    ),
    "endConsultation": on_case(
        "awaiting_unit",
        "head",
        {},
        stage("decided"),
        *not_for("screener", "inspector2"),
        Wrong(422, "invalid_field", of={"consultation_id": NOBODY}),
        of={"consultation_id": "$consultation"},
    ),
    "makeCalendarFeed": Command("inspector", not_for("liaison", "analyst", "citizen"), body={}),
    "revokeCalendarFeed": Command("inspector", not_for("citizen"), body={}),
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
            *not_for("screener", "analyst", "citizen"),
            Wrong(404, "unknown_case", by="inspector"),
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
    "referCase": Command(
        "head",
        (
            *not_for("screener", "analyst", "liaison", "citizen"),
            Wrong(404, "unknown_case", by="inspector"),  # whose case it is not
            stage("registered"),
            stage("investigating"),  # a complaint that is not decided as referred
            stage("merged"),
            field_wrong(body="nobody_knows"),
            field_wrong(body="walk_keyless"),
            field_wrong(body="Not a code"),
            field_wrong(reason="چرا"),
            field_wrong(identity="yes"),
            field_wrong(identity=True),  # of a case that was filed anonymously
            field_wrong(attachments=["x"]),
            Wrong(422, "unknown_upload", body={"attachments": ["n" * 32]}),
        ),
        of={"case_id": "$case.referred"},
        body={"body": "walk_body", "reason": "در صلاحیت آن مرجع است."},
    ),
    "recordReferralAnswer": Command(
        "head",
        (
            *not_for("screener", "analyst", "liaison", "citizen"),
            Wrong(404, "not_found", by="inspector"),  # whose case it is not
            Wrong(404, "not_found", of={"referral_id": NOBODY}),
            Wrong(422, "invalid_field", of={"referral_id": "x"}),
            field_wrong(answered_on="2020-01-01"),  # before the referral
            field_wrong(answered_on="2098-01-01"),
            field_wrong(outcome="thanks"),
            field_wrong(text=" "),
            field_wrong(number=""),
        ),
        of={"referral_id": "$referral"},
        body={"answered_on": jalali.today(now()).isoformat(), "outcome": "accepted", "text": "پذیرفته شد."},
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
    "decideCases": Command(
        "inspector",
        (
            *not_for("screener", "liaison", "citizen"),
            field_wrong(cases=[]),
            field_wrong(cases=[{"case_id": "x", "expected_version": 1}]),
            field_wrong(cases=[{"case_id": NOBODY, "expected_version": 1}] * 2),
            field_wrong(decision={"outcome": "perhaps", "reasons": "نشد."}),
            field_wrong(decision={"outcome": "upheld", "reasons": "شد.", "root_causes": ["nothing"]}),
        ),
        body={
            "decision": {"outcome": "not_upheld", "reasons": "نشد."},
            "cases": [{"case_id": NOBODY, "expected_version": 1}],
        },
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
