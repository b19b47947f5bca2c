"""Macros: kept by persons and for roles, and run on a case whole or not at all."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest

from contracts.errors import (
    InvalidField,
    KeyReused,
    MacroStepRefused,
    NotAllowed,
    NotFound,
    StaleVersion,
    TooManyMacros,
    UnknownCase,
)
from contracts.gateway import Actor
from contracts.macros import (
    ChangeMacro,
    DropMacro,
    GetMacro,
    KeepMacro,
    ListMacros,
    MacroAudience,
    RemindInDays,
    RunMacro,
)
from contracts.tracking import AddNote, AskCitizen, AskUnit, Assign, Close, Correct, StartScreening
from contracts.vocabulary import Role
from deploy.local.parts import RabbitMQ
from tests.support.processes import ServiceProcess, eventually, open_broker_client
from tests.support.tracking import Office, actor, apart_from_looks


@pytest.fixture(scope="module")
def tracking_settings() -> dict[str, str]:
    return {"MACROS_MOST": "3"}


def keep(
    office: Office, who: Actor, steps: Sequence[Any], audience: MacroAudience = MacroAudience.NOBODY, **given: Any
) -> Any:
    request = KeepMacro(
        actor=who,
        name=given.pop("name", "ماکرو"),
        steps=list(steps),
        audience=audience,
        idempotency_key=given.pop("key", None) or uuid.uuid4().hex,
        **given,
    )
    return office.ask("keep_macro", request)


def run(
    office: Office, who: Actor, case_id: UUID, macro: Any, version: int | None = None, key: str | None = None
) -> Any:
    current = office.value("SELECT version FROM cases WHERE case_id = %s", case_id)
    request = RunMacro(
        actor=who,
        case_id=case_id,
        macro_id=macro["macro_id"],
        expected_version=current if version is None else version,
        idempotency_key=key or uuid.uuid4().hex,
    )
    return office.ask("run_macro", request)


def person(role: Role = Role.HEAD) -> Actor:
    """Somebody with macros of their own: how many one keeps is limited."""
    return actor(role)


def test_its_steps_are_done_in_order_with_their_placeholders_filled(office: Office) -> None:
    who, filed = person(), office.open()
    macro = keep(
        office,
        who,
        [
            StartScreening(),
            Correct(urgent=True, unit="dep.urb.permits.desk"),
            Assign(inspector=UUID(office.inspector.id)),
            AskUnit(
                text="{greeting}\nپرونده {number} درباره «{unit}» ({ground})، پاسخ تا {answer_day}، امروز {today}."
            ),
            RemindInDays(working_days=2, text="پیگیری {number}"),
        ],
    )
    before = office.get(filed.case_id)
    case = run(office, who, filed.case_id, macro)

    assert case["stage"] == "awaiting_unit"
    assert case["urgent"]
    entries = [entry["entry"] for entry in case["timeline"]]
    assert entries == ["opened", "screening_started", "corrected", "assigned", "unit_asked", "reminder_set"]
    asked = case["questions"][-1]["text"]
    assert asked.startswith(
        f"با سلام و احترام\nپرونده {before['number']} درباره «واحد dep.urb.permits.desk» (اطاله)، پاسخ تا "
    )
    assert "{" not in asked
    assert case["version"] == before["version"] + 5
    assert office.value("SELECT text FROM reminders WHERE case_id = %s", filed.case_id) == f"پیگیری {before['number']}"
    commands = "SELECT command FROM {} WHERE actor_id = %s AND %s = ANY(subjects) AND result = 'done'"
    eventually(lambda: office.value("SELECT count(*) FROM audit_waiting") == 0)
    audited = [
        row[0] for row in office.rows(commands.format("audit") + " ORDER BY position", who.id, str(filed.case_id))
    ]
    assert audited == ["start_screening", "correct", "assign", "ask_unit", "remind", "run_macro"]


def test_a_step_that_is_refused_undoes_those_before_it(office: Office) -> None:
    who, case_id = person(), office.open().case_id
    macro = keep(office, who, [StartScreening(), AddNote(text="خوانده شد"), Close()])
    before = office.get(case_id)
    with pytest.raises(MacroStepRefused) as raised:
        run(office, who, case_id, macro)
    assert raised.value.params == {
        "step": 3,
        "command": "close",
        "refusal": "wrong_stage",
        "refusal_params": {"stage": "screening", "command": "close"},
    }
    assert apart_from_looks(office.get(case_id)) == apart_from_looks(before)
    assert office.value("SELECT count(*) FROM commands WHERE actor = %s", f"staff:{who.id}") == 1  # the keeping


def test_a_placeholder_without_a_value_refuses_its_step(office: Office) -> None:
    who, case_id = person(), office.investigated().case_id
    macro = keep(office, who, [AskCitizen(text="تا {answer_day}"), AddNote(text="مهلت: {deadline}")])
    with pytest.raises(MacroStepRefused) as raised:
        run(office, who, case_id, macro)  # the clock stands still once the citizen is asked
    assert (raised.value.params["step"], raised.value.params["refusal"]) == (2, "no_value")
    assert raised.value.params["refusal_params"] == {"placeholder": "deadline"}
    assert office.get(case_id)["stage"] == "investigating"


def test_version_key_and_hidden_cases(office: Office) -> None:
    who, case_id, key = person(), office.investigated().case_id, uuid.uuid4().hex
    macro = keep(office, who, [AddNote(text="یک"), AddNote(text="دو")])
    with pytest.raises(StaleVersion):
        run(office, who, case_id, macro, version=1)
    case = run(office, who, case_id, macro, key=key)
    again = run(office, who, case_id, macro, version=case["version"] - 2, key=key)
    assert again["version"] == case["version"]
    notes = "SELECT count(*) FROM timeline WHERE case_id = %s AND entry = 'note_added'"
    assert office.value(notes, case_id) == 2
    other = keep(office, who, [AddNote(text="سه")])
    with pytest.raises(KeyReused):
        run(office, who, case_id, other, key=key)
    insider = who.model_copy(update={"unit": "dep.urb.permits.desk"})
    with pytest.raises(UnknownCase):
        run(office, insider, case_id, macro)
    with pytest.raises(NotFound):
        run(office, office.inspector, case_id, macro)  # another's own


def test_unknown_and_misplaced_placeholders_are_named_when_it_is_kept(office: Office) -> None:
    steps = [AddNote(text="{numbr} و {answer_day}"), AskUnit(text="{answer_day} {citizen}")]
    with pytest.raises(InvalidField) as raised:
        keep(office, person(), steps)
    fields = [(field["field"], field["reason"], field["placeholder"]) for field in raised.value.params["fields"]]
    assert fields == [
        ("steps.0.text", "unknown_placeholder", "{numbr}"),
        ("steps.0.text", "placeholder_not_here", "{answer_day}"),
        ("steps.1.text", "unknown_placeholder", "{citizen}"),
    ]


def test_who_keeps_them_for_whom(office: Office) -> None:
    note = [AddNote(text="یادداشت")]
    administrator, head = person(Role.ADMINISTRATOR), person()
    own = keep(office, office.inspector, note)
    for_inspectors = keep(office, administrator, note, MacroAudience.INSPECTOR)
    for_all = keep(office, head, note, MacroAudience.ALL)
    for who, audience in (
        (office.inspector, MacroAudience.INSPECTOR),
        (office.screener, MacroAudience.ALL),
        (administrator, MacroAudience.NOBODY),  # who gives no commands has none of their own
        (person(Role.ANALYST), MacroAudience.NOBODY),
        (office.liaison, MacroAudience.NOBODY),
    ):
        with pytest.raises(NotAllowed):
            keep(office, who, note, audience)

    def seen(who: Actor) -> set[str]:
        ids, after = set(), None
        while True:
            page = office.ask("list_macros", ListMacros(actor=who, limit=2, after=after))
            ids |= {item["macro_id"] for item in page["items"]}
            after = page["next"]
            if after is None:
                return ids & {own["macro_id"], for_inspectors["macro_id"], for_all["macro_id"]}

    assert seen(office.inspector) == {own["macro_id"], for_inspectors["macro_id"], for_all["macro_id"]}
    assert seen(office.other_inspector) == {for_inspectors["macro_id"], for_all["macro_id"]}
    assert seen(office.screener) == {for_all["macro_id"]}
    assert seen(administrator) == {for_inspectors["macro_id"], for_all["macro_id"]}
    case_id = office.investigated().case_id
    assert run(office, office.inspector, case_id, for_inspectors)["timeline"][-1]["entry"] == "note_added"


def test_changed_by_its_owner_or_for_others_by_any_head(office: Office) -> None:
    head, other_head = person(), person()
    shared = keep(office, head, [AddNote(text="الف")], MacroAudience.INSPECTOR)
    own = keep(office, head, [AddNote(text="ب")])

    def change(who: Actor, macro: Any, version: int = 1, **given: Any) -> Any:
        audience = given.get("audience", MacroAudience(macro["audience"]))
        request = ChangeMacro(
            actor=who,
            macro_id=macro["macro_id"],
            expected_version=version,
            name="تازه",
            steps=[AddNote(text="پ")],
            audience=audience,
        )
        return office.ask("change_macro", request)

    assert change(other_head, shared)["version"] == 2
    with pytest.raises(StaleVersion):
        change(head, shared)
    with pytest.raises(NotAllowed):
        change(office.inspector, shared, 2)
    with pytest.raises(NotFound):
        change(other_head, own)
    got = office.ask("get_macro", GetMacro(actor=office.inspector, macro_id=shared["macro_id"]))
    assert (got["name"], got["own"], got["changeable"]) == ("تازه", False, False)
    with pytest.raises(NotFound):
        office.ask("drop_macro", DropMacro(actor=other_head, macro_id=own["macro_id"], expected_version=1))
    office.ask("drop_macro", DropMacro(actor=other_head, macro_id=shared["macro_id"], expected_version=2))
    with pytest.raises(NotFound):
        office.ask("get_macro", GetMacro(actor=head, macro_id=shared["macro_id"]))


def test_how_many_one_keeps_is_limited_and_a_repeated_keeping_is_one(office: Office) -> None:
    who, key = person(), uuid.uuid4().hex
    note = [AddNote(text="یادداشت")]
    first = keep(office, who, note, key=key)
    assert keep(office, who, note, key=key)["macro_id"] == first["macro_id"]
    for _ in range(2):
        keep(office, who, note)
    with pytest.raises(TooManyMacros) as raised:
        keep(office, who, note)
    assert raised.value.params == {"limit": 3}


def test_killed_between_two_steps_nothing_is_done_and_given_again_all_of_it_once(
    office: Office, tracking: ServiceProcess, broker: RabbitMQ
) -> None:
    who, filed = person(), office.open()
    macro = keep(office, who, [StartScreening(), AddNote(text="خوانده شد"), Correct(urgent=True)])
    version = office.get(filed.case_id)["version"]
    key = uuid.uuid4().hex
    request = RunMacro(
        actor=who,
        case_id=filed.case_id,
        macro_id=macro["macro_id"],
        expected_version=version,
        idempotency_key=key,
    )

    def ask() -> None:
        with open_broker_client(broker.url) as client, suppress(TimeoutError):
            client.call("tracking", "run_macro", request, timeout=20)

    with psycopg.connect(office._url) as other:
        # The second of these lines waits for ever: the first step has been written by then.
        other.execute(
            "CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$"
        )
        other.execute(
            "CREATE TRIGGER held BEFORE INSERT ON timeline FOR EACH ROW WHEN (NEW.entry = 'note_added')"
            " EXECUTE FUNCTION wait_here()"
        )
        other.commit()
        other.execute("SELECT pg_advisory_lock(42)")
        other.commit()
        asking = threading.Thread(target=ask)
        asking.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        eventually(lambda: office.value(waiting) == 1)
        tracking.kill()
        office.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'")
        assert office.value("SELECT stage FROM cases WHERE case_id = %s", filed.case_id) == "registered"
        other.execute("SELECT pg_advisory_unlock(42)")
        other.execute("DROP FUNCTION wait_here() CASCADE")
        other.commit()
    tracking.start()
    asking.join()
    with open_broker_client(broker.url) as line:
        case = line.call("tracking", "run_macro", request)
    assert [entry["entry"] for entry in case["timeline"]] == [
        "opened",
        "screening_started",
        "note_added",
        "corrected",
    ]
