"""What a case's view says its reader may do is what execution allows: every command of every case of a whole world, for everybody
who knows the case, and for its citizen."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, get_args
from uuid import UUID

import pytest

from contracts import tracking, visits
from contracts.base import now
from contracts.errors import AlreadyHandles, Invalid, NobodyAnswersForUnit, PeygirError, SlotPast, UnknownSlot
from contracts.gateway import Actor
from contracts.tracking import ShownCommand
from contracts.vocabulary import OPEN_STAGES, ActorKind, Channel, Role
from deploy.local.parts import PostgreSQL
from services.tracking.composition import compose
from tests.support.seeds import chosen_seed
from tests.support.walk.oracle import CaseFacts, Person, Sort
from tests.support.walk.services import Services
from tests.support.walk.world import World
from tests.support.walk.world_maker import Maker

SEED = chosen_seed()
NOBODY = UUID(int=7)
SOON = date.today() + timedelta(days=9)
DECISION: dict[str, Any] = {"outcome": "upheld", "reasons": "دلیل", "root_causes": ["process"]}
ABOUT_ARGUMENTS = (Invalid, UnknownSlot, SlotPast, AlreadyHandles, NobodyAnswersForUnit)
"""What may still be wrong with a command that can be given: whom or what it names."""
Given = Callable[[ShownCommand, World], Iterator[Any]]


def _choice(shown: ShownCommand, name: str) -> UUID:
    """What the view offers; where it offers nothing, something."""
    return UUID(next(iter(shown.choices.get(name, {})), str(NOBODY)))


def _inspectors(world: World) -> list[UUID]:
    return [UUID(person.id) for person in world.people if Role.INSPECTOR in person.roles]


def _open_cases(world: World) -> list[UUID]:
    return [case_id for case_id, case in world.oracle.cases.items() if case.stage in OPEN_STAGES]


ARGUMENTS: dict[str, Given] = {
    "start_screening": lambda shown, world: iter([tracking.StartScreening()]),
    "correct": lambda shown, world: (tracking.Correct(urgent=urgent) for urgent in (True, False)),
    "refuse": lambda shown, world: iter([tracking.Refuse(reason="outside_remit", explanation="نه")]),
    "merge": lambda shown, world: (tracking.Merge(into=other) for other in _open_cases(world)),
    "assign": lambda shown, world: (tracking.Assign(inspector=staff_id) for staff_id in _inspectors(world)),
    "return_to_screening": lambda shown, world: iter([tracking.ReturnToScreening(reason="واحد دیگر")]),
    "reopen": lambda shown, world: iter([tracking.Reopen(reason="اشتباه")]),
    "ask_citizen": lambda shown, world: iter([tracking.AskCitizen(text="چه؟")]),
    "ask_unit": lambda shown, world: iter([tracking.AskUnit(text="چرا؟", unit="off.b")]),
    "add_note": lambda shown, world: iter([tracking.AddNote(text="یادداشت")]),
    "add_evidence": lambda shown, world: iter([tracking.AddEvidence(uploads=["zq999999x_file00000000"])]),
    "decide": lambda shown, world: iter([tracking.Decide(**DECISION)]),
    "propose": lambda shown, world: iter([tracking.Propose(**DECISION)]),
    "approve": lambda shown, world: iter([tracking.Approve()]),
    "return_proposal": lambda shown, world: iter([tracking.ReturnProposal(reason="کم است")]),
    "settle_early": lambda shown, world: iter(
        [
            tracking.SettleEarly(
                agreement="راضی", agreed_at=now(), agreed_by=Channel.PHONE, consented=True, reasons="سازش"
            )
        ]
    ),
    "settle_recommendation": lambda shown, world: iter(
        [tracking.SettleRecommendation(recommendation_id=_choice(shown, "recommendation_id"), accepted=True)]
    ),
    "close": lambda shown, world: iter([tracking.Close()]),
    "remind": lambda shown, world: iter([tracking.Remind(on=SOON, text="یادآوری")]),
    "add_check": lambda shown, world: iter([tracking.AddCheck(text="کار")]),
    "tick_check": lambda shown, world: (
        tracking.TickCheck(item_id=_choice(shown, "item_id"), done=done) for done in (True, False)
    ),
    "link_case": lambda shown, world: (
        tracking.LinkCase(to=other, linked=linked) for other in _open_cases(world) for linked in (True, False)
    ),
    "add_co_handler": lambda shown, world: (tracking.AddCoHandler(inspector=one) for one in _inspectors(world)),
    "remove_co_handler": lambda shown, world: iter([tracking.RemoveCoHandler(inspector=_choice(shown, "inspector"))]),
    "consult_colleague": lambda shown, world: (
        tracking.ConsultColleague(colleague=one, text="چه کنیم؟") for one in _inspectors(world)
    ),
    "answer_consultation": lambda shown, world: iter(
        [tracking.AnswerConsultation(consultation_id=_choice(shown, "consultation_id"), text="این")]
    ),
    "end_consultation": lambda shown, world: iter(
        [tracking.EndConsultation(consultation_id=_choice(shown, "consultation_id"))]
    ),
    "offer_slots": lambda shown, world: (visits.OfferSlots(slots=[slot]) for slot in _slots(world)),
    "call_off_visit": lambda shown, world: iter([visits.CallOffVisit()]),
    "hold_visit": lambda shown, world: iter([visits.HoldVisit(minutes="آمد")]),
    "miss_visit": lambda shown, world: iter([visits.MissVisit()]),
    "answer_question": lambda shown, world: iter([tracking.AnswerQuestion(text="بله")]),
    "withdraw": lambda shown, world: iter([tracking.Withdraw()]),
    "object": lambda shown, world: iter([tracking.RaiseObjection(text="نه")]),
    "rate": lambda shown, world: iter([tracking.Rate(score=4)]),
    "send_evidence": lambda shown, world: iter([tracking.SendEvidence(uploads=["zq999999x_file00000000"])]),
    "send_message": lambda shown, world: iter([tracking.SendMessage(text="سلام")]),
    "correct_message": lambda shown, world: iter(
        [tracking.CorrectMessage(message_id=_choice(shown, "message_id"), text="درود")]
    ),
    "withdraw_message": lambda shown, world: iter([tracking.WithdrawMessage(message_id=_choice(shown, "message_id"))]),
    "correct_filed": lambda shown, world: iter([tracking.CorrectFiled(text="متن درست این شکایت")]),
    "withdraw_evidence": lambda shown, world: iter(
        [tracking.WithdrawEvidence(media_id=next(iter(shown.choices.get("media_id", {})), "zq999999x_file00000000"))]
    ),
    "ask_visit": lambda shown, world: iter([visits.AskVisit()]),
    "book_visit": lambda shown, world: (visits.BookVisit(slot_id=slot) for slot in _slots(world)),
    "move_visit": lambda shown, world: (visits.MoveVisit(slot_id=slot) for slot in _slots(world)),
    "cancel_visit": lambda shown, world: iter([visits.CancelVisit()]),
}


def _slots(world: World) -> list[UUID]:
    return [row["slot_id"] for row in world.rows("tracking", "SELECT slot_id FROM visit_slots ORDER BY 1")]


@pytest.fixture(scope="module")
def world(postgres: PostgreSQL) -> World:
    print(f"PEYGIR_SEED={SEED} makes this world again")
    maker = Maker(postgres.url, SEED, "shown_commands")
    made = maker.make(rounds=1)
    criticism = maker.stories.file(ground="service", unit="off.b")  # decided without a second pair of eyes
    maker.setup.do(maker.setup.screener, criticism, tracking.StartScreening())
    maker.stories.assign(criticism)
    written = maker.stories.file(ground="service", unit="off.b")
    upload = maker.setup.media(written.case_id, Sort.FILED)
    maker.setup.do_as_citizen(written, tracking.SendMessage(text="فراموش کرده بودم", uploads=[upload]))
    return made


@pytest.fixture(scope="module")
def services(world: World) -> Services:
    return Services({"tracking": world.urls["tracking"]}, world.keys)


def _refusal(attempt: Callable[[], Any]) -> PeygirError | None:
    try:
        attempt()
    except PeygirError as error:
        return error
    return None


class Comparison:
    """Gives every shown command with what the view offers, and keeps what became of it. Nothing is left of any of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.done: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()

    def compare(self, who: str, shown: ShownCommand, give: Callable[[Any], Any]) -> None:
        refusals: list[PeygirError | None] = []
        for command in ARGUMENTS[shown.type](shown, self._world):
            refusals.append(_refusal(lambda command=command: give(command)))  # type: ignore[misc]
            if refusals[-1] is None or not isinstance(refusals[-1], ABOUT_ARGUMENTS):
                break
        about = f"{who}: {shown}: {refusals[-1]!r}"
        if shown.possible:
            assert refusals[-1] is None or isinstance(refusals[-1], ABOUT_ARGUMENTS), about
            self.done[shown.type] += refusals[-1] is None
        else:
            assert refusals[-1] is not None, about
            self.refused[shown.type, f"{shown.why}: {shown.code}"] += 1


def _readers(world: World, case: CaseFacts) -> Iterator[Person]:
    """Everybody of the staff who reads this case; of those with the same roles who are nothing to it, two."""
    alike: Counter[Any] = Counter()
    colleagues = {line["staff"] for line in case.row["colleagues"]} if "colleagues" in case.row else set()
    for person in world.people:
        if person.actor is None or not world.oracle.knows(person, case):
            continue
        near = person.id in {str(case.handler), *colleagues} or person.roles & {Role.SUBSTITUTE}
        alike[person.roles] += 1
        if near or alike[person.roles] <= 2:
            yield person


def _later(ahead: timedelta) -> datetime:
    return now() + ahead


def _cases_and_moments(world: World) -> Iterator[tuple[CaseFacts, timedelta]]:
    """All cases now, and those with a visit also once it has begun."""
    visited = {row["case_id"] for row in world.rows("tracking", "SELECT case_id FROM visits WHERE slot_id IS NOT NULL")}
    for case_id, case in world.oracle.cases.items():
        yield case, timedelta(0)
        if case_id in visited:
            yield case, timedelta(hours=20)


@pytest.mark.timeout(600)
def test_what_a_view_shows_to_staff_is_what_can_be_done(
    world: World, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = services.made["tracking"]
    comparison = Comparison(world)
    for case, ahead in _cases_and_moments(world):
        then = partial(_later, ahead)
        monkeypatch.setattr(made, "use_cases", compose(made.settings, then))
        for person in _readers(world, case):
            assert person.actor is not None
            actor: Actor = person.actor
            try:
                view = services.ask("tracking", "get_case", tracking.GetCase(actor=actor, case_id=case.case_id))
            except PeygirError:
                continue  # asked by somebody who reads no single case

            def give(command: Any, actor: Actor = actor, view: Any = view) -> None:
                request = tracking.ExecuteCommand(
                    actor=actor,
                    case_id=view.case_id,
                    expected_version=view.version,
                    idempotency_key=uuid.uuid4().hex,
                    command=command,
                )
                services.ask("tracking", "execute", request)

            assert view.commands, person.name
            for shown in view.commands:
                comparison.compare(f"{person.name} on {case.stage} {view.number}", shown, give)
    staff_commands = {str(cls.model_fields["type"].default) for cls in get_args(get_args(tracking.StaffCommand)[0])}
    tried = set(comparison.done) | {name for name, _ in comparison.refused}
    assert tried == staff_commands
    assert {code for _, code in comparison.refused} >= {
        "not_yours: not_your_case",
        "not_yours: four_eyes_needed",
        "not_yet: open_question",
        "not_yet: no_proposal",
        "not_yet: proposal_waits",
        "not_yet: no_visit",
        "not_yet: may_be_objected_to",
        "too_late: wrong_stage",
    }
    never = staff_commands - {name for name, times in comparison.done.items() if times}
    assert not never, f"never done: {never}"


@pytest.mark.timeout(600)
def test_what_a_view_shows_to_a_citizen_is_what_can_be_done(world: World, services: Services) -> None:
    comparison = Comparison(world)
    for row in world.rows("tracking", "SELECT case_id, code_hash, stage FROM cases ORDER BY case_id"):
        bearer = Actor(kind=ActorKind.BEARER, id=row["code_hash"])
        view = services.ask("tracking", "view_by_code", tracking.ViewByCode(code_hashes=[row["code_hash"]]))

        def give(command: Any, bearer: Actor = bearer) -> None:
            key = uuid.uuid4().hex
            request = tracking.ExecuteCitizenCommand(
                actor=bearer, code_hashes=[bearer.id], idempotency_key=key, command=command
            )
            services.ask("tracking", "execute_citizen", request)

        for shown in view.commands:
            comparison.compare(f"citizen on {row['stage']}", shown, give)
        possible = {command.type for command in view.commands if command.possible}
        assert possible >= {*view.can, *view.visit_can}
        assert (view.evidence_left > 0) == ("send_evidence" in possible)
    citizens = {name for name in ARGUMENTS if name in set(comparison.done) | {name for name, _ in comparison.refused}}
    assert len(citizens) == 14
    assert {name for name, times in comparison.done.items() if times} >= citizens - {"move_visit", "book_visit"}
