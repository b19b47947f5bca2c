"""What may be wrong with each command of the API: visits, configuration, searches, papers."""

from __future__ import annotations

from tests.e2e.bad_input_rows import (
    MEMBER,
    NAMES,
    NOBODY,
    SLOT,
    TEXT,
    UNIT,
    WEEK,
    WORDS,
    Command,
    Wrong,
    configured,
    field_wrong,
    not_for,
    on_case,
)

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
        {"text_fa": "متن", "text_en": "Text"},
        field_wrong(text_fa=" "),
        field_wrong(ground="nowhere"),
        field_wrong(articles=["nowhere"]),
        template="walk",
    ),
    "putArticle": configured(
        {"title_fa": "قانون", "title_en": "Act", "number": "۱", "text_fa": "متن", "valid_from": "2020-03-20"},
        field_wrong(title_fa=" "),
        field_wrong(valid_from="1399/01/01"),
        field_wrong(valid_from="1800-01-01"),
        field_wrong(valid_until="2019-03-20"),
        article="walk",
    ),
    "removeAnswerTemplate": configured(None, Wrong(422, "invalid_field", of={"template": "%20"}), template="walk"),
    "putOutsideBody": configured(
        {**NAMES, "age_key": ""},
        field_wrong(age_key="age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"),
        field_wrong(name_fa=" "),
        field_wrong(active="yes"),
        outside_body="walk",
    ),
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
        field_wrong(applies_to="both"),
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
    "previewDeadlines": Command(
        "administrator",
        (
            *not_for("head", "screener", "citizen"),
            field_wrong(deadlines=[{"days": 0}]),
            field_wrong(deadlines=[{"days": 1000000000}]),
            field_wrong(deadlines=[{"days": "7"}]),
            field_wrong(applies_to="old"),
        ),
        body={"deadlines": [{"days": 7}], "applies_to": "open"},
    ),
    "previewDecisionRules": Command(
        "administrator",
        (
            *not_for("head", "screener", "citizen"),
            field_wrong(auto_close_days=0),
            field_wrong(four_eyes=["x"]),
            field_wrong(applies_to=None),
        ),
        body={"auto_close_days": 11},
    ),
    "previewRetention": Command(
        "administrator",
        (
            *not_for("head", "screener", "citizen"),
            field_wrong(retention=[{"kind": "complaint", "identity_months": 0, "evidence_months": 12}]),
            field_wrong(retention=[{"kind": "complaint", "identity_months": 1000000, "evidence_months": 12}]),
        ),
        body={"retention": [{"kind": "complaint", "identity_months": 12, "evidence_months": 12}]},
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
            field_wrong(successor=NOBODY),
        ),
        of={"staff_id": "$analyst"},
        body=MEMBER,
        version="$analyst",
    ),
    "addLeave": Command(
        "inspector2",
        (
            *not_for("citizen"),
            Wrong(403, "not_allowed", body={"staff_id": "$head"}),
            Wrong(404, "not_found", by="head", body={"staff_id": NOBODY}),
            field_wrong(deputy=NOBODY),
            field_wrong(deputy="$analyst"),
            field_wrong(ends_at="2020-01-01T09:00:00Z"),
            # Moments that no database gives back
            field_wrong(starts_at="9999-12-01T00:00:00Z", ends_at="9999-12-31T23:59:59-12:00"),
            field_wrong(starts_at="0001-01-01T00:00:00+14:00"),
        ),
        body={"deputy": "$inspector", "starts_at": "2098-12-01T09:00:00Z", "ends_at": "2098-12-08T09:00:00Z"},
    ),
    "endLeave": Command(
        "head",
        (
            *not_for("screener", "citizen"),
            Wrong(404, "not_found", of={"leave_id": NOBODY}),
            Wrong(422, "invalid_field", of={"leave_id": "x"}),
        ),
        of={"leave_id": "$leave"},
        body={},
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
    "previewNotificationText": Command(
        "administrator",
        (
            *not_for("head", "citizen"),
            Wrong(404, "not_found", of={"name": "no_such_text"}),
            field_wrong(text_fa="{no_such_value}\n{code}"),
            field_wrong(values={"no_such_value": "x"}),
            field_wrong(values={"kind": "x" * 201}),
        ),
        of={"channel": "sms", "name": "withdrawn"},
        body=WORDS,
    ),
    "resendNotification": Command(
        "administrator",
        (*not_for("inspector", "operator", "citizen"), Wrong(404, "not_found")),
        of={"notification_id": NOBODY},
    ),
    "replayDeadLetter": Command(
        "administrator",
        (
            *not_for("head", "auditor", "citizen"),
            Wrong(404, "not_found"),
            Wrong(422, "invalid_field", of={"letter_id": "1"}),
        ),
        of={"letter_id": "0" * 32},
    ),
    "dropDeadLetter": Command(
        "administrator",
        (*not_for("head", "auditor", "citizen"), Wrong(404, "not_found"), field_wrong(reason=" ")),
        of={"letter_id": "0" * 32},
        body={"reason": "آزمایشی بود"},
    ),
    "restoreNotificationText": Command(
        "administrator",
        (*not_for("head", "citizen"), Wrong(404, "not_found", of={"name": "no_such_text"})),
        of={"channel": "sms", "name": "withdrawn"},
        version="$text",
    ),
}

_WEBHOOK = {"name": "۱۳۷", "url": "https://partner.invalid/hook", "events": ["case.opened"]}
_NO_WEBHOOK = Wrong(404, "not_found", of={"subscription_id": NOBODY})
_BAD_WEBHOOK = (
    field_wrong(name=" "),
    field_wrong(url="http://partner.example/"),
    field_wrong(url="https://127.0.0.1/"),
    field_wrong(url="https://[::ffff:169.254.169.254]/latest"),
    field_wrong(url="https://2130706433/"),
    field_wrong(url="https://partner.example:22/"),
    field_wrong(url="https://me:word@partner.example/"),
    field_wrong(events=[]),
    field_wrong(events=["case.note_added"]),
    field_wrong(events=["case.opened", "case.opened"]),
    field_wrong(information="yes"),
)
_OF_WEBHOOK = {"subscription_id": "$webhook_subscription"}

WEBHOOKS: dict[str, Command] = {
    "createWebhookSubscription": Command("administrator", (*not_for("head", "citizen"), *_BAD_WEBHOOK), body=_WEBHOOK),
    "changeWebhookSubscription": Command(
        "administrator",
        (*not_for("head", "citizen"), _NO_WEBHOOK, *_BAD_WEBHOOK, field_wrong(active=1)),
        of=_OF_WEBHOOK,
        body=_WEBHOOK,
        version="$webhook_subscription",
    ),
    "deleteWebhookSubscription": Command(
        "administrator", (*not_for("head", "citizen"), _NO_WEBHOOK), of=_OF_WEBHOOK, version="$webhook_subscription"
    ),
    "rotateWebhookSecret": Command(
        "administrator",
        (
            *not_for("head", "citizen"),
            _NO_WEBHOOK,
            field_wrong(overlap_hours=-1),
            field_wrong(overlap_hours=169),
            field_wrong(overlap_hours="2"),
        ),
        of=_OF_WEBHOOK,
        body={"overlap_hours": 2},
    ),
    "sendWebhookTest": Command("administrator", (*not_for("head", "citizen"), _NO_WEBHOOK), of=_OF_WEBHOOK),
    "replayWebhookDeliveries": Command(
        "administrator",
        (
            *not_for("head", "citizen"),
            _NO_WEBHOOK,
            Wrong(404, "not_found", body={"since": None, "delivery_id": NOBODY}),
            field_wrong(since=None),
            field_wrong(since="yesterday"),
            field_wrong(delivery_id=NOBODY),  # and a moment
        ),
        of=_OF_WEBHOOK,
        body={"since": "2026-01-01T00:00:00Z"},
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
            field_wrong(columns=["colour"]),
            field_wrong(filters={"due_until": "P2M"}),
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
    "pinSearches": Command(
        "head",
        (
            *not_for("liaison", "citizen"),
            Wrong(404, "not_found", by="screener"),
            Wrong(404, "not_found", body={"searches": ["$search", NOBODY]}),
            field_wrong(searches=["x"]),
            field_wrong(searches=[NOBODY] * 21),
        ),
        body={"searches": ["$search"]},
    ),
    "countManyFoundCases": Command(
        "head",
        (
            *not_for("liaison", "citizen"),
            field_wrong(counts=[]),
            field_wrong(counts=[{"name": "x"}] * 21),
            field_wrong(counts=[{"name": " "}]),
            field_wrong(counts=[{"name": "x", "filters": {"handler": ["mine"]}}]),
            field_wrong(counts=[{"name": "x", "filters": {"due_from": "P2D", "due_until": "P1D"}}]),
        ),
        body={"counts": [{"name": "x", "filters": {"handler": ["me"]}}]},
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
