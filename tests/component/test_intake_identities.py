"""Identities in intake: sealed, shown to whom they may be shown, on the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from backbone import sealing
from contracts import tracking_codes
from contracts.base import now
from contracts.errors import InvalidField, NotAllowed, UnknownCase
from contracts.gateway import Actor, FileSubmission, Group, GroupMember, GroupMembers, Identity
from contracts.intake import OpenedIdentity, OpenIdentity, OwnName, ReadOwnName
from contracts.vocabulary import ActorKind, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.intake.identities.vault import Damaged, Vault
from tests.support.intake import (
    NAME,
    RECODED,
    REGISTERED,
    Office,
    all_said,
    citizen,
    key_of,
    new_mobile,
    said,
    send,
)
from tests.support.processes import BusClient, eventually

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def office(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """With one process, for the tests that end no process."""
    office = Office.open(broker, postgres, tmp_path_factory.mktemp("intake"), "intake_identities")
    office.start()
    yield office
    office.close()


@pytest.fixture
def bus(wire: BusClient) -> BusClient:
    wire.listen("intake.events")
    return wire


class TestAGroup:
    def test_its_members_are_kept_sealed_and_shown_to_who_opens_the_identity(
        self, office: Office, bus: BusClient
    ) -> None:
        others = [GroupMember(name=f"همسایه {uuid4().hex}", mobile=new_mobile()), GroupMember(mobile=new_mobile())]
        to_intake = key_of(office.environment["INTAKE_PUBLIC_KEY"])
        command = office.submission(
            identity=citizen(),
            group=Group(members=7, common="ساکنان یک کوچه"),
            sealed_members=sealing.seal(GroupMembers(items=others), to_intake),
        )
        send(bus, command, command)
        event = all_said(bus, command)[command.submission_id]

        assert event["group"] == {"members": 7, "common": "ساکنان یک کوچه"}
        told = json.dumps(event, ensure_ascii=False) + office.dump()
        for secret in (others[0].name, others[0].mobile, others[1].mobile):
            assert str(secret) not in told
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.CUSTODIAN}))
        request = OpenIdentity(actor=actor, case_id=command.submission_id, reason="دعوت همه به جلسه")
        assert OpenedIdentity.model_validate(bus.ask("intake", "open_identity", request)).members == others

    def test_one_row_cannot_be_put_in_anothers_place(self, office: Office) -> None:
        vault = Vault({"k": bytes(32)})
        one, other = uuid4(), uuid4()
        members = vault.seal_members(one, GroupMembers(items=[GroupMember(name="همسایه")]))
        with pytest.raises(Damaged):
            vault.open_members(other, members)
        with pytest.raises(Damaged):
            vault.open(one, members)


class TestIdentities:
    def test_who_filed_is_nowhere_in_the_clear(self, office: Office, bus: BusClient) -> None:
        """Neither in the database, its outbox included, nor in what is said, nor in the log."""
        code, met = office.new_code(), office.new_code()
        people = [citizen() for _ in range(3)]
        first = office.submission(code, people[0])
        others = [office.submission(met, people[1]), office.submission(met, people[2])]
        send(bus, first, *others)
        office.stored(first, *others)
        all_said(bus, first, *others)
        office.identity_of(bus, first.submission_id)
        [recoded] = eventually(lambda: said(bus, RECODED, *others)).values()
        new_code = office.contact_in(str(recoded["sealed_contact"])).code
        assert new_code is not None

        canaries = [code, met, new_code, *(tracking_codes.grouped(one) for one in (code, met, new_code))]
        for person in people:
            assert person.name
            assert person.mobile
            assert person.national_id
            canaries += [person.name, person.mobile, person.mobile[3:], person.national_id]
        dump = office.dump()
        assert str(first.submission_id) in dump
        assert "outbox_ever" in dump
        assert REGISTERED in dump, "what waited in the outbox was looked at too"
        events = "\n".join(json.dumps(event, ensure_ascii=False) for event in bus.heard(REGISTERED))
        log = "".join(process.log.read_text() for process in office.processes)
        for canary in canaries:
            spellings = [canary, canary.encode().hex(), json.dumps(canary)[1:-1]]
            for place, text in (("database", dump), ("events", events), ("log", log)):
                assert not any(spelling in text for spelling in spellings), f"in the {place}: {canary}"

    @pytest.mark.parametrize("role", [Role.HEAD, Role.CUSTODIAN])
    def test_head_and_custodian_open_it_on_the_record(self, office: Office, bus: BusClient, role: Role) -> None:
        told = citizen()
        command = office.submission(identity=told)
        send(bus, command)
        office.stored(command)
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role, Role.SCREENER}))
        request = OpenIdentity(actor=actor, case_id=command.submission_id, reason="به حکم دادگاه")
        for _ in range(2):
            assert Identity.model_validate(bus.ask("intake", "open_identity", request)["identity"]) == told
        openings = office.sql(
            "SELECT actor, reason FROM identity_openings WHERE submission_id = %s", command.submission_id
        )
        assert openings == [(actor.id, "به حکم دادگاه")] * 2, "each opening is recorded"

    def test_a_citizen_reads_the_own_name_in_the_own_submission_and_no_other(
        self, office: Office, bus: BusClient
    ) -> None:
        told, me, other = citizen(), uuid4(), uuid4()
        mine = office.submission(identity=told).model_copy(update={"citizen_id": me})
        not_mine = office.submission(identity=citizen())  # by an operator, say: nobody was signed in
        for command in (mine, not_mine):
            send(bus, command)
            office.stored(command)

        def name(actor: Actor, command: FileSubmission) -> str | None:
            request = ReadOwnName(actor=actor, case_id=command.submission_id)
            return OwnName.model_validate(bus.ask("intake", "read_own_name", request)).name

        def signed_in(who: UUID) -> Actor:
            return Actor(kind=ActorKind.CITIZEN, id=str(who))

        assert name(signed_in(me), mine) == told.name
        for who, command in ((other, mine), (me, not_mine), (uuid4(), not_mine)):
            assert name(signed_in(who), command) is None
        assert name(signed_in(me), office.submission()) is None  # of which there is none
        holder = Actor(kind=ActorKind.BEARER, id=mine.code_hash)
        staff = Actor(kind=ActorKind.STAFF, id=str(me), roles=frozenset(Role))
        for actor in (holder, staff):
            with pytest.raises(NotAllowed):
                name(actor, mine)

    @pytest.mark.parametrize("roles", [set(), *({role} for role in Role if role not in {Role.HEAD, Role.CUSTODIAN})])
    def test_nobody_else_opens_it(self, office: Office, bus: BusClient, roles: set[Role]) -> None:
        command = office.submission(identity=citizen())
        send(bus, command)
        office.stored(command)
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset(roles))
        with pytest.raises(NotAllowed) as refusal:
            bus.ask(
                "intake", "open_identity", OpenIdentity(actor=actor, case_id=command.submission_id, reason="کنجکاوی")
            )
        assert refusal.value.params == {}
        assert not office.sql("SELECT 1 FROM identity_openings WHERE actor = %s", actor.id)

    def test_a_reason_is_needed(self, office: Office, bus: BusClient) -> None:
        command = office.submission(identity=citizen())
        send(bus, command)
        office.stored(command)
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}))
        without = OpenIdentity.model_construct(actor=actor, case_id=command.submission_id, reason="")
        with pytest.raises(InvalidField):
            bus.ask("intake", "open_identity", without)

    def test_an_anonymous_one_has_none(self, office: Office, bus: BusClient) -> None:
        command = office.submission()
        send(bus, command)
        assert all_said(bus, command)[command.submission_id]["anonymous"] is True
        with pytest.raises(UnknownCase):
            office.identity_of(bus, command.submission_id)
        assert not office.sql("SELECT 1 FROM identity_openings WHERE submission_id = %s", command.submission_id)

    def test_one_moved_to_another_submission_is_not_opened_as_if_it_were_its_own(
        self, office: Office, bus: BusClient
    ) -> None:
        commands = [office.submission(identity=citizen()) for _ in range(2)]
        send(bus, *commands)
        office.stored(*commands)
        one, other = (command.submission_id for command in commands)
        office.sql("DELETE FROM identities WHERE submission_id = %s", other)
        office.sql("UPDATE identities SET submission_id = %s WHERE submission_id = %s", other, one)
        with pytest.raises(Exception, match=r"\{\}") as failure:
            office.identity_of(bus, other)
        assert NAME not in str(failure.value)

    def test_one_sealed_to_another_key_is_kept_among_the_dead_and_the_rest_flows_on(
        self, office: Office, bus: BusClient
    ) -> None:
        good = [office.submission(identity=citizen()) for _ in range(40)]
        elsewhere = sealing.public_key(bytes(31) + b"\1")
        bad = office.submission(identity=citizen())
        bad = bad.model_copy(update={"sealed_identity": sealing.seal(citizen(), elsewhere)})
        damaged = office.submission(identity=citizen()).model_copy(update={"sealed_identity": "c2VhbGVk"})
        with office.asleep():
            send(bus, *good[:20], bad, damaged, *good[20:])
        office.stored(*good)
        all_said(bus, *good)
        eventually(lambda: bus.depth("dead-letters") == 2)
        assert office.number("submissions", [bad.submission_id, damaged.submission_id]) == 0, "whole or not at all"
        for _ in range(2):
            letter = bus.take("dead-letters")
            assert letter is not None
            properties, body = letter
            assert json.loads(body)["submission_id"] in {str(bad.submission_id), str(damaged.submission_id)}
            assert properties.headers["peygir-error"] == "CannotOpen: sealed to a key that is not held"
            assert properties.headers["peygir-queue"] == "intake.submissions"
            assert now() - datetime.fromisoformat(properties.headers["peygir-died"]) < timedelta(minutes=2)
