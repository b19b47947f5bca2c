"""A staff command in two statements, and the same under a lock: from the same state both write the same rows and answer alike."""

from __future__ import annotations

import random
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, get_args
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from backbone.messaging import outbox
from backbone.storage import audit
from contracts import tracking
from contracts.base import now
from contracts.errors import PeygirError
from contracts.gateway import Actor
from contracts.visits import CallOffVisit, HoldVisit, MissVisit, OfferSlots
from contracts.vocabulary import Channel, Role
from deploy.local.parts import PostgreSQL
from services.tracking.case import context, record
from services.tracking.composition import compose
from services.tracking.models import metadata
from tests.support.seeds import chosen_seed
from tests.support.walk.services import Services, Trial
from tests.support.walk.world import World
from tests.support.walk.world_maker import Maker

SEED = chosen_seed()
LOCKED = {"merge", "link_case", "add_evidence", "offer_slots", "call_off_visit", "hold_visit", "miss_visit"}
"""Commands that lock, concern a second case, or whose answer tells what other tables say of their effect."""
NOT_IN_THE_WORLD = {"settle_early"}
"""Commands for which the world may have no case that allows them; test_statements.py gives them at once."""
UNLIKE = {
    "outbox": {"seq", "created_at", "headers"},
    "audit_waiting": {"seq", "at"},
    "commands": {"done_at"},
    "recommendations": {"made_at"},
}
"""Columns that count, or say when a transaction began."""
Rows = dict[str, list[dict[str, Any]]]


class Recorded(Trial):
    """Keeps what each transaction has written before it is undone. `begin`: called at the beginning of each."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.written: list[tuple[str, Rows]] = []
        self.begin: Callable[[], None] = lambda: None

    @contextmanager
    def _recorded(self, way: str) -> Iterator[Connection]:
        self.begin()
        with super().transaction() as connection:
            yield connection
            if rows := _written(connection):
                self.written.append((way, rows))

    def transaction(self) -> Any:
        return self._recorded("locked")

    def statements(self) -> Any:
        return self._recorded("at once")


def _written(connection: Connection) -> Rows:
    """The rows of this transaction, by table."""
    found: Rows = defaultdict(list)
    for table in (*metadata.tables, outbox.TABLE.name, audit.WAITING.name):
        query = f"SELECT to_jsonb(t) FROM {table} t WHERE xmin = pg_current_xact_id_if_assigned()::xid"
        for row in connection.execute(text(query)).scalars():
            found[table].append({name: value for name, value in row.items() if name not in UNLIKE.get(table, ())})
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


class BothWays:
    """One world, in which commands are given both ways; whatever they do is undone."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        services = Services({"tracking": world.urls["tracking"]}, world.keys, Recorded)
        self.tracking = services.made["tracking"]
        self.moment = datetime.now(UTC)
        self.tracking.use_cases = compose(self.tracking.settings, lambda: self.moment)
        self._patch = monkeypatch
        self.tracking.db.begin = self._repeat_chance

    def _repeat_chance(self) -> None:
        """Ids and lots are the same each time."""
        ids, lots = count(1), random.Random(1)
        for module in (context, record):
            self._patch.setattr(module, "uuid4", lambda: UUID(int=next(ids)))
        self._patch.setattr(secrets, "randbelow", lots.randrange)

    def at_once(self, request: tracking.ExecuteCommand) -> tuple[Any, list[tuple[str, Rows]]]:
        """As the service does."""
        return self._done(partial(self.tracking.cls.execute, self.tracking), request)

    def locked(self, request: tracking.ExecuteCommand) -> tuple[Any, list[tuple[str, Rows]]]:
        """As the service does where it cannot be done at once."""
        return self._done(partial(self.tracking.command, self.tracking.use_cases.cases.execute), request)

    def _done(
        self, work: Callable[[tracking.ExecuteCommand], Any], request: tracking.ExecuteCommand
    ) -> tuple[Any, list[tuple[str, Rows]]]:
        """The answer or error, and what was written in which way."""
        self.tracking.db.written.clear()
        try:
            answer = work(request).model_dump(mode="json")
        except PeygirError as error:
            answer = (error.code, error.params)
        return answer, list(self.tracking.db.written)


@pytest.fixture(scope="module")
def world(postgres: PostgreSQL) -> World:
    print(f"PEYGIR_SEED={SEED} makes this world again")
    maker = Maker(postgres.url, SEED, "at_once")
    world = maker.make(rounds=1)
    criticism = maker.stories.file(ground="service", unit="off.b")  # decided without a second pair of eyes
    maker.setup.do(maker.setup.screener, criticism, tracking.StartScreening())
    handler = maker.stories.assign(criticism)
    # Whatever the seed and the ids: several cases allow each of the commands that few cases allow.
    for story in ("proposed", "proposed", "proposed", "refused", "refused", "reported", "reported"):
        maker.stories.play(story)
    maker.setup.do(handler, criticism, tracking.AddCheck(text="کار"))
    colleague = next(
        one
        for one in maker.setup.inspectors
        if one != handler and not maker.setup.oracle.conflicted(one, criticism.unit)
    )
    question = tracking.ConsultColleague(colleague=UUID(colleague.id), text="چه کنیم؟")
    maker.setup.do(handler, criticism, question)
    return world


@pytest.fixture
def both(world: World, monkeypatch: pytest.MonkeyPatch) -> BothWays:
    return BothWays(world, monkeypatch)


def commands_of(world: World, case_id: UUID, chance: random.Random) -> Iterator[Any]:
    """Every command of staff, with what this case gives to name; some of it wrong."""

    def of(table: str, column: str) -> list[Any]:
        query = f"SELECT {column} AS found FROM {table} WHERE case_id = '{case_id}' ORDER BY 1"
        return [row["found"] for row in world.rows("tracking", query)]

    [case] = world.rows("tracking", f"SELECT checklist, colleagues FROM cases WHERE case_id = '{case_id}'")
    staff = [UUID(person.id) for person in world.people if person.actor is not None and person.roles]
    inspectors = [UUID(person.id) for person in world.people if Role.INSPECTOR in person.roles]
    others = sorted(world.oracle.cases)
    media, soon = of("attachments", "media_id"), date.today() + timedelta(days=5)
    decision = {"outcome": "upheld", "reasons": "دلیل", "root_causes": ["process"]}
    advice = {"recommendations": [{"text": "یکی", "due_on": soon}, {"text": "دیگری", "due_on": soon}]}
    yield tracking.StartScreening()
    yield tracking.Correct(unit=chance.choice(["off.a", "org.b"]), ground=chance.choice(["delay", "waste", "none"]))
    yield tracking.Correct(urgent=True)
    yield tracking.Correct(kind=chance.choice(["criticism", "information"]))
    yield tracking.ReturnToScreening(reason="واحد دیگری است")
    yield tracking.Reopen(reason="اشتباه ما بود")
    yield tracking.Refuse(reason="outside_remit", explanation="نه", address="آنجا")
    yield tracking.Merge(into=chance.choice(others))
    yield tracking.Assign(inspector=chance.choice(inspectors))
    yield tracking.Assign(inspector=chance.choice(staff))
    yield tracking.Assign()
    yield tracking.AskCitizen(text="چه؟")
    yield tracking.AskUnit(text="چرا؟", unit=chance.choice(["off.b", None]), media=media[:1])
    yield tracking.AddNote(text="یادداشت", mentions=chance.sample(staff, 2))
    yield tracking.AddNote(text="یادداشت")
    yield tracking.AddEvidence(uploads=["zq999999x_file00000000"])
    yield tracking.Decide(**decision)
    yield tracking.Decide(**decision, **advice)
    yield tracking.Propose(**decision, **advice)
    yield tracking.Approve()
    yield tracking.ReturnProposal(reason="کم است")
    yield tracking.SettleEarly(
        agreement="راضی شدند", agreed_at=now(), agreed_by=Channel.PHONE, consented=True, reasons="سازش شد"
    )
    yield tracking.Close()
    yield tracking.Remind(on=soon, text="یادآوری")
    yield tracking.AddCheck(text="کار")
    item_id = next((item["item_id"] for item in case["checklist"]), case_id)
    yield tracking.TickCheck(item_id=item_id, done=True)
    yield tracking.TickCheck(item_id=item_id, done=False)
    yield tracking.LinkCase(to=chance.choice(others))
    recommended = next(iter(of("recommendations", "recommendation_id")), case_id)
    yield tracking.SettleRecommendation(recommendation_id=recommended, accepted=True)
    yield tracking.SettleRecommendation(recommendation_id=recommended, accepted=False, reason="نه هنوز")
    colleagues = case["colleagues"]
    second = next((line["staff"] for line in colleagues if line["as"] == "co_handler"), chance.choice(inspectors))
    consultation_id = next((line["consultation_id"] for line in colleagues if line["as"] == "consulted"), case_id)
    yield tracking.AddCoHandler(inspector=chance.choice(inspectors))
    yield tracking.RemoveCoHandler(inspector=second)
    yield tracking.ConsultColleague(colleague=chance.choice(inspectors), text="چه کنیم؟")
    yield tracking.AnswerConsultation(consultation_id=consultation_id, text="این")
    yield tracking.EndConsultation(consultation_id=consultation_id)
    yield OfferSlots(slots=[case_id])
    yield CallOffVisit()
    yield HoldVisit(minutes="آمد")
    yield MissVisit()


def givers(world: World, case_id: UUID, chance: random.Random) -> list[Actor]:
    """A head, the handler or else a screener, and anybody."""
    staff = [person for person in world.people if person.actor is not None and person.roles]
    head = next(person for person in staff if person.name == "other head")
    screener = next(person for person in staff if person.name == "screener")
    handler = next((one for one in staff if one.id == str(world.oracle.cases[case_id].handler)), screener)
    row = world.rows("tracking", f"SELECT colleagues FROM cases WHERE case_id = '{case_id}'")[0]
    colleagues = [one for one in staff if one.id in {line["staff"] for line in row["colleagues"]}]
    return [person.actor for person in (head, handler, *colleagues, chance.choice(staff)) if person.actor is not None]


def situations(world: World, chance: random.Random) -> dict[str, list[tracking.ExecuteCommand]]:
    """Requests of every command in every state, by its name, in any order."""
    found: dict[str, list[tracking.ExecuteCommand]] = defaultdict(list)
    for row in world.rows("tracking", "SELECT case_id, version FROM cases ORDER BY case_id"):
        case_id = row["case_id"]
        for command in commands_of(world, case_id, chance):
            found[command.type] += [
                tracking.ExecuteCommand(
                    actor=giver,
                    case_id=case_id,
                    expected_version=row["version"],
                    idempotency_key="a-key-of-this-test",
                    command=command,
                )
                for giver in givers(world, case_id, chance)
            ]
    for requests in found.values():
        chance.shuffle(requests)
    return found


def is_same_both_ways(both: BothWays, request: tracking.ExecuteCommand) -> bool:
    """Whether it was done at once; either way it is the same."""
    answer, written = both.at_once(request)
    expected, expected_written = both.locked(request)
    assert answer == expected, request
    for (_, rows), (_, expected_rows) in zip(written, expected_written, strict=True):
        for table in rows | expected_rows:
            assert rows.get(table) == expected_rows.get(table), (table, request)
    return [way for way, _ in written] == ["at once"]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("much", [12, pytest.param(10_000, marks=pytest.mark.long)])
def test_every_command_does_the_same_both_ways(both: BothWays, much: int) -> None:
    requests = situations(both.world, random.Random(SEED))
    assert set(requests) == {
        str(kind.model_fields["type"].default) for kind in get_args(get_args(tracking.StaffCommand)[0])
    }
    done_at_once = set()
    for name, of_command in requests.items():
        for place, request in enumerate(of_command):
            if place >= much and (name in done_at_once or name in LOCKED):
                break
            if is_same_both_ways(both, request):
                done_at_once.add(name)
    assert set(requests) - LOCKED - NOT_IN_THE_WORLD <= done_at_once <= set(requests) - LOCKED


def test_a_stale_version_and_a_key_used_before_are_answered_the_same(both: BothWays) -> None:
    [used] = both.world.rows("tracking", "SELECT actor, key FROM commands WHERE actor LIKE 'staff:%' LIMIT 1")
    giver = next(person.actor for person in both.world.people if person.actor and f"staff:{person.id}" == used["actor"])
    for row in both.world.rows("tracking", "SELECT case_id, version FROM cases LIMIT 5"):
        request = tracking.ExecuteCommand(
            actor=giver,
            case_id=row["case_id"],
            expected_version=row["version"] - 1,
            idempotency_key="a-key-of-this-test",
            command=tracking.AddNote(text="یادداشت"),
        )
        assert not is_same_both_ways(both, request)
        assert not is_same_both_ways(both, request.model_copy(update={"idempotency_key": used["key"]}))
