"""The cases of a world for the walk: each is filed and brought as far as its story says."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

from backbone import sealing
from contracts import tracking, tracking_codes
from contracts.gateway import Actor, Consent, FileSubmission, Group, Identity, Place
from contracts.intake import SubmissionRegistered
from contracts.visits import BookVisit, HoldVisit
from contracts.vocabulary import ActorKind, Channel, Kind, Language, Outcome, Role
from tests.support.walk.oracle import Canary, CaseFacts, Person, Sort
from tests.support.walk.world import GROUND_TEXTS, GROUNDS
from tests.support.walk.world_setup import WorldSetup, event_handlers


class CaseStories:
    """Files cases and gives the commands that bring them to every stage."""

    def __init__(self, setup: WorldSetup) -> None:
        self.setup = setup

    def file(self, **changes: Any) -> CaseFacts:
        """A case with a word in every field."""
        case_id = uuid.uuid4()
        typed = tracking_codes.mint(self._keys("CODE_MAC_KEYS"))
        code = tracking_codes.hashes(typed, self._keys("CODE_INDEX_KEYS"))[0]
        ground = changes.get("ground") or self.setup.chance.choice(list(GROUNDS))
        unit = changes.get(
            "unit", self.setup.chance.choice([parent for parent in self.setup.parents if parent not in ("mq", "insp")])
        )
        owner = changes.get("owner") or self.setup.chance.choice([None, *self.setup.citizens])
        facts = CaseFacts(case_id, code, unit, UUID(owner.id) if owner else None, "", None, code=typed)
        self.setup.oracle.cases[case_id] = facts
        self.setup.mark(case_id, case_id, Sort.CASE)
        self.setup.mark(code, case_id, Sort.CITIZEN)
        self.setup.mark(typed, case_id, Sort.CITIZEN)

        def word() -> str:
            return self.setup.word(case_id, Sort.FILED)

        facts.text = f"{word()} {changes.get('text', GROUND_TEXTS[ground])} {word()}"
        by_operator = self.setup.chance.random() < 0.3 or "operator" in changes
        operator = changes.get("operator") or next(
            person for person in self.setup.world.people if person.name == "operator"
        )
        values: dict[str, Any] = {
            "id": uuid.uuid4(),
            "occurred_at": self.setup.at,
            "case_id": case_id,
            "code_hash": code,
            "kind": GROUNDS[ground],
            "unit": unit,
            "unit_asked": unit or word(),
            "unit_name_fa": f"واحد {unit}" if unit else None,
            "unit_name_en": f"Unit {unit}" if unit else None,
            "ground": ground,
            "answers": {"file_number": word()},
            "text": facts.text,
            "place": Place(address=word()),
            "reference": word(),
            "people": [word()],
            "uploads": [self.setup.media(case_id, Sort.FILED) for _ in range(2)],
            "visit_wanted": changes.get("visit_wanted", False),
            "channel": Channel.COUNTER if by_operator else Channel.WEB,
            "language": Language.FA,
            "filed_at": self.setup.at - timedelta(minutes=len(self.setup.oracle.cases)),
            "anonymous": owner is None,
            "citizen_id": facts.citizen_id,
            "content_hash": "c" * 64,
            "consent": Consent(form="spoken", to=["filing"], recorded_by=UUID(operator.id), recorded_at=self.setup.at)
            if by_operator
            else None,
            "group": Group(members=3, common=word()) if self.setup.chance.random() < 0.3 else None,
        }
        facts.filed = SubmissionRegistered(**values)
        for service, method in (("tracking", "open_cases"), ("notify", "submissions_registered")):
            made = self.setup.services.made[service]
            with made.db.transaction() as connection:
                getattr(event_handlers(service, made), method)(connection, [facts.filed])
        self._seal(facts)
        if self.setup.chance.random() < 0.15 or changes.get("held"):
            self.setup.world.people.append(
                Person(
                    f"holder of a code {len(self.setup.oracle.cases)}",
                    Actor(kind=ActorKind.BEARER, id=code),
                    code_hash=code,
                )
            )
        return facts

    def _seal(self, facts: CaseFacts) -> None:
        """Who filed it, as intake keeps that; of anonymous ones, too, so that there is something to be found."""
        filed = facts.filed
        identity = Identity(name=self.setup.word(facts.case_id, Sort.IDENTITY))
        command = FileSubmission(
            submission_id=facts.case_id,
            code_hash=facts.code_hash,
            kind=filed.kind,
            unit=filed.unit_asked,
            ground=filed.ground,
            text=filed.text,
            channel=filed.channel,
            language=filed.language,
            filed_at=filed.filed_at,
            sealed_identity=sealing.seal(identity, bytes.fromhex(self.setup.world.keys["INTAKE_PUBLIC_KEY"])),
            content_hash=filed.content_hash,
            citizen_id=filed.citizen_id,
        )
        intake = self.setup.services.made["intake"]
        with intake.db.transaction() as connection:
            intake.use_cases.submissions.register(connection, [command])

    def _keys(self, name: str) -> list[bytes]:
        return [bytes.fromhex(key) for key in self.setup.world.keys[name].split(",")]

    def play(self, story: str) -> None:
        """One case, as far as `story` says."""
        if story == "unknown_unit":
            facts = self.file(unit=None)
            self.setup.do(self.setup.screener, facts, tracking.StartScreening())
            return
        # Whatever the seed: somebody holds the code of a decided case, and a citizen has one of their own.
        sure = {"held": True} if story == "decided" else {"owner": self.setup.citizens[0]} if story == "rated" else {}
        facts = self.file(visit_wanted=story.startswith("visit"), **sure)
        case = facts.case_id
        if story == "registered":
            return
        if story == "withdrawn":
            self.setup.do_as_citizen(facts, tracking.Withdraw(reason=self.setup.word(case, Sort.TO_CITIZEN)))
            return
        self.setup.do(self.setup.screener, facts, tracking.StartScreening())
        if story == "screening":
            return
        if story in ("refused", "closed_refused"):
            explanation, address = (self.setup.word(case, Sort.TO_CITIZEN) for _ in range(2))
            self.setup.do(
                self.setup.screener,
                facts,
                tracking.Refuse(reason="outside_remit", explanation=explanation, address=address),
            )
            if story == "closed_refused":
                self.setup.do(self.setup.head, facts, tracking.Close())
            return
        if story == "merged":
            into = self._another_case(facts)
            self.setup.do(self.setup.screener, facts, tracking.Merge(into=into.case_id))
            self.inquire(into)
            self.decide(into)
            return
        inspector = self.assign(facts)
        if story == "linked":
            other = self._another_case(facts)
            self.setup.do(self.setup.head, facts, tracking.LinkCase(to=other.case_id))
        if story == "handed_over":
            self.assign(facts, besides=inspector)
            return
        if story.startswith("visit"):
            self.visit(facts, story)
            return
        self.inquire(facts)
        if story == "investigating":
            self.share(facts)
            return
        if story == "awaiting_citizen":
            self.setup.do(
                self.inspector_of(facts), facts, tracking.AskCitizen(text=self.setup.word(case, Sort.TO_CITIZEN))
            )
        elif story in ("awaiting_unit", "unit_answered"):
            self.ask_unit(facts, answered=story == "unit_answered")
            if story == "unit_answered":
                self.ask_unit(facts, answered=True)
        elif story == "proposed":
            self.propose(facts)
        else:
            self.decide(facts)
        if story == "reported":
            self.report(facts)
        if story == "rated":
            self.setup.do_as_citizen(facts, tracking.Rate(score=4))
        if story in ("review", "final"):
            self.setup.do_as_citizen(facts, tracking.RaiseObjection(text=self.setup.word(case, Sort.TO_CITIZEN)))
            self.assign(facts, besides=inspector)
            self.setup.do(self.inspector_of(facts), facts, tracking.AddNote(text=self.setup.word(case, Sort.OFFICE)))
            if story == "final":
                self.decide(facts, final=True)

    def _another_case(self, facts: CaseFacts) -> CaseFacts:
        """Another case, of another unit, in an inspector's hands."""
        other = "desk.b" if facts.unit and facts.unit.endswith(".a") else "off.a"
        more = self.file(unit=other)
        self.setup.do(self.setup.screener, more, tracking.StartScreening())
        self.assign(more)
        return more

    def play_others(self) -> None:
        """Cases of which somebody must not know for a reason that few have: they stand in for another, or will belong to the unit
        of what they have in hand by then."""
        away, *_, moving = self.setup.inspectors[0], self.setup.inspectors[-1]
        for unit in ("off.a", "off.b"):
            self._watch(self.handled(unit, away))
        self._about_the_inspection()
        self._watch(self.file(unit="off.a", operator=self.setup.moving_operator))
        for unit, second in (("off.a", moving), ("off2.a", away)):
            beside = self.handled(unit, self.setup.inspectors[1])
            by = self.inspector_of(beside)
            self.setup.do(by, beside, tracking.AddCoHandler(inspector=UUID(second.id)))
            self._watch(beside)
        for unit, merged_unit in (("off2.b", "off.a"), ("off.a", "off2.b")):
            into = self.handled(unit, moving)
            merged = self.file(unit=merged_unit)
            self.setup.do(self.setup.screener, merged, tracking.StartScreening())
            self.setup.do(self.setup.screener, merged, tracking.Merge(into=into.case_id))
            self._watch(into)
            self._watch(merged)

    def _about_the_inspection(self) -> None:
        first, second = self.setup.substitutes
        for unit in ("insp", "mq"):  # all who have a unit belong to one below the second
            self._watch(self.file(unit=unit))
        handled = self.file(unit="insp")
        self.setup.do(first, handled, tracking.StartScreening())
        self.setup.do(first, handled, tracking.Assign(inspector=UUID(second.id)))
        self.setup.do(second, handled, tracking.AddNote(text=self.setup.word(handled.case_id, Sort.OFFICE)))
        handled.handler = UUID(second.id)
        self._watch(handled)

    def handled(self, unit: str, inspector: Person) -> CaseFacts:
        """A case about this unit in the hands of this inspector."""
        facts = self.file(unit=unit)
        self.setup.do(self.setup.screener, facts, tracking.StartScreening())
        self.setup.do(self.setup.screener, facts, tracking.Assign(inspector=UUID(inspector.id)))
        facts.handler = UUID(inspector.id)
        self.setup.do(inspector, facts, tracking.AddNote(text=self.setup.word(facts.case_id, Sort.OFFICE)))
        return facts

    def _watch(self, facts: CaseFacts) -> None:
        self.setup.world.watched.add(facts.case_id)

    def assign(self, facts: CaseFacts, besides: Person | None = None) -> Person:
        """To an inspector who may have it."""
        able = [
            inspector
            for inspector in self.setup.inspectors
            if inspector != besides and not self.setup.oracle.conflicted(inspector, facts.unit)
        ]
        chosen = self.setup.chance.choice(able)
        self.setup.do(self.setup.screener, facts, tracking.Assign(inspector=UUID(chosen.id)))
        facts.handler = UUID(chosen.id)
        return chosen

    def share(self, facts: CaseFacts) -> None:
        """With those inspectors who may see it: one more on it, one asked for advice."""
        able = [
            inspector
            for inspector in self.setup.inspectors
            if inspector.id != str(facts.handler) and not self.setup.oracle.conflicted(inspector, facts.unit)
        ]
        by, chosen = self.inspector_of(facts), self.setup.chance.sample(able, min(2, len(able)))
        for second in chosen[:1]:
            self.setup.do(by, facts, tracking.AddCoHandler(inspector=UUID(second.id)))
        for colleague in chosen[1:]:
            question = self.setup.word(facts.case_id, Sort.OFFICE)
            self.setup.do(by, facts, tracking.ConsultColleague(colleague=UUID(colleague.id), text=question))

    def inspector_of(self, facts: CaseFacts) -> Person:
        return next(inspector for inspector in self.setup.inspectors if inspector.id == str(facts.handler))

    def inquire(self, facts: CaseFacts) -> None:
        """What an inspector does, each with words of its own."""
        case, by = facts.case_id, self.inspector_of(facts)

        def word() -> str:
            return self.setup.word(case, Sort.OFFICE)

        self.setup.do(by, facts, tracking.AddNote(text=word(), mentions=[UUID(self.setup.head.id)]))
        self.setup.do(by, facts, tracking.Remind(on=(self.setup.at + timedelta(days=9)).date(), text=word()))
        after = self.setup.do(by, facts, tracking.AddCheck(text=word()))
        self.setup.do(by, facts, tracking.TickCheck(item_id=after.checklist[0].item_id, done=True))
        self.setup.do(by, facts, tracking.AddEvidence(uploads=[self.setup.media(case, Sort.OFFICE)]))
        self.setup.do(by, facts, tracking.AskCitizen(text=self.setup.word(case, Sort.TO_CITIZEN)))
        given = self.setup.media(case, Sort.FILED)
        self.setup.do_as_citizen(
            facts, tracking.AnswerQuestion(text=self.setup.word(case, Sort.TO_CITIZEN), uploads=[given])
        )

    def ask_unit(self, facts: CaseFacts, answered: bool) -> None:
        case = facts.case_id
        # Of two questions of one case the second is put to the other branch.
        asked_unit = self.setup.chance.choice(["off2.b", "org.b"] if facts.questions else ["off.a", "desk.a", "off2.a"])
        sent = facts.filed.uploads[len(facts.questions)]
        self.setup.oracle.canaries[sent[:9]] = facts.media[sent] = Canary(case, Sort.SENT_ALONG, asked_unit)
        question = self.setup.word(case, Sort.UNIT, asked_unit)
        after = self.setup.do(
            self.inspector_of(facts), facts, tracking.AskUnit(text=question, unit=asked_unit, media=[sent])
        )
        question_id = after.questions[-1].question_id
        facts.questions.append(question_id)
        if answered:
            liaison = Actor(
                kind=ActorKind.STAFF, id=str(uuid.uuid4()), roles=frozenset({Role.LIAISON}), unit=asked_unit
            )
            self.setup.call(
                tracking.AnswerUnitQuestion(
                    actor=liaison,
                    question_id=question_id,
                    text=self.setup.word(case, Sort.UNIT, asked_unit),
                    uploads=[self.setup.media(case, Sort.UNIT, asked_unit)],
                    idempotency_key=uuid.uuid4().hex,
                )
            )

    def _decision(self, facts: CaseFacts, sort: Sort) -> dict[str, Any]:
        case = facts.case_id
        recommendation = {
            "text": self.setup.word(case, Sort.UNIT, facts.unit),
            "due_on": (self.setup.at + timedelta(days=30)).date(),
        }
        return {
            "outcome": Outcome.UPHELD,
            "reasons": self.setup.word(case, sort),
            "root_causes": ["process"],
            "recommendations": [tracking.Recommendation.model_validate(recommendation)],
        }

    def propose(self, facts: CaseFacts) -> None:
        values = self._decision(facts, Sort.OFFICE)
        # As long as nobody has approved it, the unit does not hear of it either.
        self.setup.oracle.canaries[values["recommendations"][0].text] = Canary(facts.case_id, Sort.OFFICE)
        self.setup.do(self.inspector_of(facts), facts, tracking.Propose(**values))

    def decide(self, facts: CaseFacts, final: bool = False) -> None:
        values, by = self._decision(facts, Sort.TO_CITIZEN), self.inspector_of(facts)
        if facts.filed.kind is Kind.CRITICISM:
            self.setup.do(by, facts, tracking.Decide(**values))
        else:
            self.setup.do(by, facts, tracking.Propose(**values))
            self.setup.do(self.setup.other_head if final else self.setup.head, facts, tracking.Approve())
        if not final:
            self.setup.do(self.setup.head, facts, tracking.AddNote(text=self.setup.word(facts.case_id, Sort.OFFICE)))

    def report(self, facts: CaseFacts) -> None:
        [row] = self.setup.world.rows(
            "tracking", f"SELECT recommendation_id, unit FROM recommendations WHERE case_id = '{facts.case_id}'"
        )
        liaison = Actor(kind=ActorKind.STAFF, id=str(uuid.uuid4()), roles=frozenset({Role.LIAISON}), unit=row["unit"])
        self.setup.call(
            tracking.ReportRecommendation(
                actor=liaison,
                recommendation_id=row["recommendation_id"],
                done=False,
                reason=self.setup.word(facts.case_id, Sort.UNIT, row["unit"]),
                idempotency_key=uuid.uuid4().hex,
            )
        )

    def visit(self, facts: CaseFacts, story: str) -> None:
        if story == "visit_asked":
            return
        slot = next(slot for slot in self.setup.slots[str(facts.handler)] if self._places(slot) > 0)
        self.setup.do_as_citizen(facts, BookVisit(slot_id=slot))
        if story == "visit_held":
            self.setup.ahead = timedelta(hours=20)
            self.setup.do(
                self.inspector_of(facts), facts, HoldVisit(minutes=self.setup.word(facts.case_id, Sort.OFFICE))
            )
            self.setup.ahead = timedelta(0)

    def _places(self, slot: UUID) -> int:
        query = (
            f"SELECT 3 - count(*) AS free FROM visits WHERE slot_id = '{slot}' AND state IN ('booked', 'moved', 'held')"
        )
        return int(self.setup.world.rows("tracking", query)[0]["free"])
