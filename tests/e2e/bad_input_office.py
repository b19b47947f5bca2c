"""The office that the walk over every command goes through: a case at each stage, and one of each thing that has an id."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts.base import now
from deploy.demo import evidence
from tests.e2e.day_parts import weeks_pass
from tests.e2e.hostile_parts import KEPT, reader, unchanged
from tests.e2e.people import JSON, Caller, Case, Town, good
from tests.e2e.test_office import DECISION
from tests.e2e.test_visits import new_room, new_slot, offer
from tests.support.processes import eventually
from tests.support.walk.world import AGE_KEY

REFUSAL = {"reason": "repeat", "explanation": "پیش‌تر پاسخ داده شده است."}


def _of(table: str, order: str, *columns: str) -> str:
    return f"md5(string_agg(concat_ws(',', {', '.join((order, *columns))}), ';' ORDER BY {order})) FROM {table}"


def _how_many(*tables: str) -> tuple[str, ...]:
    return tuple(f"count(*) FROM {table}" for table in tables)


MARKS = {
    "tracking": (
        _of("cases", "case_id", "version", "stage", "next_check_on"),
        _of("visits", "visit_id", "state", "slot_id"),
        _of("visit_slots", "slot_id", "closed"),
        _of("rooms", "room_id", "active"),
        _of("skills", "staff_id", "grounds"),
        _of("recommendations", "recommendation_id", "state"),
        _of("searches", "search_id", "version"),
        _of("macros", "macro_id", "version"),
        _of("identity_requests", "request_id", "state"),
        *_how_many("reminders", "exports", "bulks", "bulk_cases"),
    ),
    "intake": (
        "max(version) FROM catalogue_versions",
        *_how_many("configuration_history", "configuration_commands", "desk_commands", "desk_claims"),
    ),
    "accounts": (
        "sum(version) FROM staff",
        *_how_many("staff_history", "staff_commands", "leaves"),
        _of("staff_changes", "change_id", "state"),
    ),
    "notify": ("sum(version) FROM texts", *_how_many("text_history", "text_commands", "readings", "opt_outs")),
    "media": (_of("uploads", "upload_id", "received", "state"),),
}
"""What a command would leave where counting rows does not show it."""


def kept(town: Town, *besides: str) -> dict[str, str]:
    """All that a command could change, as far as it is stored; but what is in the tables `besides`."""
    rows_by_table = {}
    for service, tables in KEPT.items():
        for what in (*_how_many(*(table for table in tables if table not in besides), "outbox"), *MARKS[service]):
            row = reader(town, service).execute(f"SELECT {what}").fetchone()
            rows_by_table[f"{service}: {what}"] = str(row)
    return rows_by_table


def at_peace(town: Town, *besides: str) -> dict[str, str]:
    """`kept`, once nothing is on its way any more."""
    return unchanged(lambda: kept(town, *besides))


IN_HAND = ("investigating", "asked", "awaiting_unit", "answered", "proposed", "decided", "past")
WISHES = ("wishing", "booked", "rival")
"""Names of the cases that are with an inspector, and of those whose citizens have asked for a visit, which are, too."""


@dataclass
class Office:
    """`$name` → what it stands for; who may be the caller; `versions` of what has one."""

    town: Town
    citizen: Caller
    stranger: Caller
    cases: dict[str, Case]
    placeholders: dict[str, str]
    versions: dict[str, int]

    def fill(self, value: Any) -> Any:
        """The value with what its `$names` stand for."""
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        return self.placeholders[value] if isinstance(value, str) and value.startswith("$") else value

    def headers_of(self, who: str) -> dict[str, str]:
        """The headers that identify a caller."""
        if who.startswith("code of "):
            return {"Tracking-Code": self.cases[who.removeprefix("code of ")].code}
        if who == "nobody":
            return {}
        caller = {"citizen": self.citizen, "stranger": self.stranger}.get(who) or self.town.officer(who).caller
        return {"Authorization": f"Bearer {caller.token}"}


def opened(town: Town) -> Office:
    """The office, with everything in it at rest."""
    phone = town.phone()
    citizen, _ = town.sign_in(phone)
    stranger, _ = town.sign_in(town.phone())
    about = {"kind": "complaint", "unit": "dep.urb.permits", "ground": "delay", "text": "پرونده من سه ماه مانده است."}
    names = ("registered", "screening", *IN_HAND)
    ends = ("refused", "merged", "withdrawn", *WISHES)
    cases = {
        name: town.file(citizen, **about, identity={"name": "شاکی نمونه"}, visit_wanted=name in WISHES)
        for name in (*names, *ends)
    }
    cases["anonymous"] = town.report()
    cases["referred"] = town.report()
    at_the_counter = {"channel": "counter", "desk_consent": {"form": "spoken", "to": ["filing"]}}
    cases["desk"] = town.file(
        town.officer("operator").caller, **about, **at_the_counter, identity={"name": "مراجع نمونه"}
    )
    ids = {name: str(case.view()["case_id"]) for name, case in cases.items()}
    placeholders = {f"$case.{name}": case_id for name, case_id in ids.items()}
    placeholders |= {
        "$code.decided": cases["decided"].code,
        "$now": now().isoformat(),
        "$webhook": town.system.values["SMS_WEBHOOK_SECRET"],
    }
    for name in ("inspector", "inspector2", "head", "liaison", "analyst"):
        placeholders[f"${name}"] = town.officer(name).staff_id
    _brought_to_their_stages(town, cases, ids, placeholders)
    _visits(town, cases, placeholders)
    placeholders["$referral"] = _referral(town, ids["referred"])
    placeholders["$upload"] = _half_sent(town)
    weeks_pass(town, ids["past"], 8)
    cases["past"].view_at("closed")
    weeks_pass(town, ids["past"], 5)  # the days to rate it are over, too
    at_peace(town)
    head, administrator = town.officer("head"), town.officer("administrator").caller
    versions = {f"$case.{name}": head.read(case_id)["version"] for name, case_id in ids.items()}
    versions["$configuration"] = good(administrator.get("/v1/configuration"))["version"]
    accounts = good(administrator.get("/v1/staff"))["items"]
    for mark in ("$staff_change", "$staff_change.denied"):
        reset = administrator.post(f"/v1/staff/{placeholders['$head']}/credentials", {})
        placeholders[mark] = good(reset, 202)["change"]["change_id"]
    denial = f"/v1/staff/changes/{placeholders['$staff_change.denied']}/denial"
    good(town.officer("administrator2").caller.post(denial, {}))
    away = {
        "deputy": placeholders["$inspector"],
        "starts_at": "2097-12-01T09:00:00Z",
        "ends_at": "2097-12-08T09:00:00Z",
    }
    leave = town.officer("inspector2").caller.post("/v1/staff/leaves", away)
    placeholders["$leave"] = good(leave, 201)["leave_id"]
    versions["$analyst"] = next(
        account["version"] for account in accounts if account["staff_id"] == placeholders["$analyst"]
    )
    texts = good(administrator.get("/v1/notification-texts"))["items"]
    [text] = [text for text in texts if (text["channel"], text["name"]) == ("sms", "withdrawn")]
    search = good(head.caller.post("/v1/searches", {"name": "دیرکرد", "filters": {"ground": ["delay"]}}), 201)
    placeholders["$search"], versions["$search"] = search["search_id"], search["version"]
    macro = {"name": "یادداشت", "steps": [{"type": "add_note", "text": "یادداشت"}]}
    kept_macro = good(head.caller.post("/v1/macros", macro), 201)
    placeholders["$macro"], versions["$macro"] = kept_macro["macro_id"], kept_macro["version"]
    shared_macro = good(head.caller.post("/v1/macros", {**macro, "audience": "all"}), 201)
    placeholders["$macro.shared"] = shared_macro["macro_id"]
    webhook = {"name": "۱۳۷", "url": "https://partner.invalid/hook", "events": ["case.reopened"]}
    subscription = good(administrator.post("/v1/webhook-subscriptions", webhook), 201)
    placeholders["$webhook_subscription"] = subscription["subscription_id"]
    versions["$webhook_subscription"] = subscription["version"]
    town.allowed(ids["registered"], "برای دعوت به جلسه")
    wish = head.caller.post(f"/v1/cases/{ids['screening']}/identity/requests", {"reason": "برای دعوت به جلسه"})
    placeholders["$identity_request"] = good(wish, 201)["request_id"]
    return Office(town, citizen, stranger, cases, placeholders, {**versions, "$text": text["version"]})


def _brought_to_their_stages(
    town: Town, cases: dict[str, Case], ids: dict[str, str], placeholders: dict[str, str]
) -> None:
    screener, liaison = town.officer("screener"), town.officer("liaison")
    for name in ("screening", "refused", "merged", "referred"):
        screener.do(ids[name], "screening")
    screener.do(ids["refused"], "refusal", **REFUSAL)
    screener.do(ids["merged"], "merge", into=ids["screening"])
    good(cases["withdrawn"].holder.post("/v1/tracking/withdrawal", {}))
    for name in (*IN_HAND, *WISHES):
        inspector = town.assigned(cases[name])
    listed = inspector.do(ids["investigating"], "checklist", text="دیدن بایگانی")["checklist"]
    placeholders["$check"] = listed[0]["item_id"]
    photo = inspector.caller.upload(evidence.photo())
    inspector.do(ids["answered"], "evidence", uploads=[photo])
    placeholders["$evidence"] = photo
    eventually(lambda: inspector.read(ids["answered"])["attachments"][0]["state"] == "accepted", timeout=60)
    inspector.do(ids["asked"], "citizen-questions", text="چه روزی؟")
    for name, mark in (("awaiting_unit", "$question"), ("answered", "$question.answered")):
        case: JSON = inspector.do(ids[name], "unit-questions", text="چرا؟")
        placeholders[mark] = case["questions"][-1]["question_id"]
    path = f"/v1/unit-questions/{placeholders['$question.answered']}/answer"
    good(liaison.caller.post(path, {"text": "در بایگانی مانده بود."}))
    second = town.officer("inspector2").staff_id
    inspector.do(ids["investigating"], "co-handlers", inspector=second)
    consulted_case = inspector.do(ids["awaiting_unit"], "consultations", colleague=second, text="چه کنیم؟")
    placeholders["$consultation"] = consulted_case["consultations"][0]["consultation_id"]
    inspector.do(ids["proposed"], "proposal", **DECISION)
    inspector.do(ids["past"], "decision", outcome="not_upheld", reasons="دلیلی یافت نشد.")
    decided = inspector.do(ids["decided"], "decision", **DECISION)
    placeholders["$recommendation"] = decided["followed"][0]["recommendation_id"]


def _referral(town: Town, case_id: str) -> str:
    """To one body outside; of the other one nobody has the key."""
    administrator, head = town.officer("administrator").caller, town.officer("head").caller
    for code, key in (("walk_body", AGE_KEY), ("walk_keyless", "")):
        version = good(administrator.get("/v1/configuration"))["version"]
        headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": f'"{version}"'}
        names = {"name_fa": "مرجع", "name_en": "Body", "age_key": key}
        good(administrator.request("PUT", f"/v1/configuration/outside-bodies/{code}", json=names, headers=headers))

    def referred() -> str:
        answer = head.post(f"/v1/cases/{case_id}/referrals", {"body": "walk_body", "reason": "برای رسیدگی"})
        return answer.headers["referral-id"] if answer.status_code == 201 else ""

    return eventually(referred)


def _visits(town: Town, cases: dict[str, Case], placeholders: dict[str, str]) -> None:
    keeper, inspector = town.officer("head"), town.officer("inspector")
    free, full, booked = (new_slot(keeper, inspector) for _ in range(3))
    past = new_slot(keeper, inspector, now() + timedelta(seconds=8))
    offer(town, cases["rival"], full)
    offer(town, cases["booked"], booked, free, full, past)
    for name, slot in (("rival", full), ("booked", booked)):
        good(cases[name].holder.post("/v1/tracking/visit-booking", {"slot_id": slot["slot_id"]}))
    eventually(lambda: datetime.fromisoformat(past["ends_at"]) < now())
    slots = {"past": past, "free": free, "full": full}
    placeholders |= {f"$slot.{name}": slot["slot_id"] for name, slot in slots.items()}
    placeholders |= {"$full.starts": full["starts_at"], "$full.ends": full["ends_at"], "$room": new_room(keeper)}


def _half_sent(town: Town) -> str:
    """An upload of which nothing has come yet."""
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "10"}
    made = town.caller().request("POST", "/v1/uploads", headers=headers)
    assert made.status_code == 201, made.text
    return made.headers["Location"].rsplit("/", 1)[1]
