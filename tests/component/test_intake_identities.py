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
from contracts.vocabulary import IDENTITY_ROLES, ActorKind, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.intake.identities.vault import Damaged, Vault
from tests.support.intake import (
    NAME,
    RECODED,
    REGISTERED,
    Office,
    await_events_of,
    citizen,
    events_of,
    key_of,
    new_mobile,
    send,
)
from tests.support.processes import BrokerClient, eventually

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def office(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Office.running(broker, postgres, tmp_path_factory.mktemp("intake"), "intake_identities") as office:
        yield office


class TestAGroup:
    def test_members_are_stored_sealed_and_shown_when_the_identity_is_opened(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        others = [GroupMember(name=f"همسایه {uuid4().hex}", mobile=new_mobile()), GroupMember(mobile=new_mobile())]
        to_intake = key_of(office.environment["INTAKE_PUBLIC_KEY"])
        command = office.submission(
            identity=citizen(),
            group=Group(members=7, common="ساکنان یک کوچه"),
            sealed_members=sealing.seal(GroupMembers(items=others), to_intake),
        )
        send(intake_client, command, command)
        event = await_events_of(intake_client, command)[command.submission_id]

        assert event["group"] == {"members": 7, "common": "ساکنان یک کوچه"}
        everything = json.dumps(event, ensure_ascii=False) + office.dump()
        for secret in (others[0].name, others[0].mobile, others[1].mobile):
            assert str(secret) not in everything
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.CUSTODIAN}))
        request = OpenIdentity(actor=actor, case_id=command.submission_id, reason="دعوت همه به جلسه")
        assert OpenedIdentity.model_validate(intake_client.call("intake", "open_identity", request)).members == others

    def test_a_row_cannot_be_moved_to_another_submission(self, office: Office) -> None:
        vault = Vault({"k": bytes(32)})
        submission_id, other_id = uuid4(), uuid4()
        members = vault.seal_members(submission_id, GroupMembers(items=[GroupMember(name="همسایه")]))
        with pytest.raises(Damaged):
            vault.open_members(other_id, members)
        with pytest.raises(Damaged):
            vault.open(submission_id, members)


class TestIdentities:
    def test_the_identity_is_stored_nowhere_in_clear_text(self, office: Office, intake_client: BrokerClient) -> None:
        """Neither in the database, its outbox included, nor in what is said, nor in the log."""
        code, met = office.new_code(), office.new_code()
        people = [citizen() for _ in range(3)]
        first = office.submission(code, people[0])
        others = [office.submission(met, people[1]), office.submission(met, people[2])]
        send(intake_client, first, *others)
        office.stored(first, *others)
        await_events_of(intake_client, first, *others)
        office.identity_of(intake_client, first.submission_id)
        [recoded] = eventually(lambda: events_of(intake_client, RECODED, *others)).values()
        new_code = office.contact_in(str(recoded["sealed_contact"])).code
        assert new_code is not None

        canaries = [
            code,
            met,
            new_code,
            *(tracking_codes.grouped(canary_code) for canary_code in (code, met, new_code)),
        ]
        for person in people:
            assert person.name
            assert person.mobile
            assert person.national_id
            canaries += [person.name, person.mobile, person.mobile[3:], person.national_id]
        dump = office.dump()
        assert str(first.submission_id) in dump
        assert "outbox_ever" in dump
        assert REGISTERED in dump, "what waited in the outbox was looked at too"
        events = "\n".join(json.dumps(event, ensure_ascii=False) for event in intake_client.recorded_events(REGISTERED))
        log = "".join(process.log.read_text() for process in office.processes)
        for canary in canaries:
            spellings = [canary, canary.encode().hex(), json.dumps(canary)[1:-1]]
            for place, text in (("database", dump), ("events", events), ("log", log)):
                assert not any(spelling in text for spelling in spellings), f"in the {place}: {canary}"

    @pytest.mark.parametrize("role", [Role.HEAD, Role.CUSTODIAN])
    def test_head_and_custodian_open_it_and_are_audited(
        self, office: Office, intake_client: BrokerClient, role: Role
    ) -> None:
        identity = citizen()
        command = office.submission(identity=identity)
        send(intake_client, command)
        office.stored(command)
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role, Role.SCREENER}))
        request = OpenIdentity(actor=actor, case_id=command.submission_id, reason="به حکم دادگاه")
        for _ in range(2):
            assert (
                Identity.model_validate(intake_client.call("intake", "open_identity", request)["identity"]) == identity
            )
        openings = office.sql(
            "SELECT actor, reason FROM identity_openings WHERE submission_id = %s", command.submission_id
        )
        assert openings == [(actor.id, "به حکم دادگاه")] * 2, "each opening is recorded"

    def test_a_citizen_reads_their_own_name_only_in_their_own_submission(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        identity, me, other = citizen(), uuid4(), uuid4()
        mine = office.submission(identity=identity).model_copy(update={"citizen_id": me})
        not_mine = office.submission(identity=citizen())  # by an operator, say: nobody was signed in
        for command in (mine, not_mine):
            send(intake_client, command)
            office.stored(command)

        def name(actor: Actor, command: FileSubmission) -> str | None:
            request = ReadOwnName(actor=actor, case_id=command.submission_id)
            return OwnName.model_validate(intake_client.call("intake", "read_own_name", request)).name

        def signed_in(who: UUID) -> Actor:
            return Actor(kind=ActorKind.CITIZEN, id=str(who))

        assert name(signed_in(me), mine) == identity.name
        for who, command in ((other, mine), (me, not_mine), (uuid4(), not_mine)):
            assert name(signed_in(who), command) is None
        assert name(signed_in(me), office.submission()) is None  # of which there is none
        holder = Actor(kind=ActorKind.BEARER, id=mine.code_hash)
        staff = Actor(kind=ActorKind.STAFF, id=str(me), roles=frozenset(Role))
        for actor in (holder, staff):
            with pytest.raises(NotAllowed):
                name(actor, mine)

    @pytest.mark.parametrize("roles", [set(), *({role} for role in Role if role not in IDENTITY_ROLES)])
    def test_nobody_else_opens_it(self, office: Office, intake_client: BrokerClient, roles: set[Role]) -> None:
        command = office.submission(identity=citizen())
        send(intake_client, command)
        office.stored(command)
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset(roles))
        with pytest.raises(NotAllowed) as refusal:
            intake_client.call(
                "intake", "open_identity", OpenIdentity(actor=actor, case_id=command.submission_id, reason="کنجکاوی")
            )
        assert refusal.value.params == {}
        assert not office.sql("SELECT 1 FROM identity_openings WHERE actor = %s", actor.id)

    def test_a_reason_is_needed(self, office: Office, intake_client: BrokerClient) -> None:
        command = office.submission(identity=citizen())
        send(intake_client, command)
        office.stored(command)
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}))
        without = OpenIdentity.model_construct(actor=actor, case_id=command.submission_id, reason="")
        with pytest.raises(InvalidField):
            intake_client.call("intake", "open_identity", without)

    def test_an_anonymous_submission_has_none(self, office: Office, intake_client: BrokerClient) -> None:
        command = office.submission()
        send(intake_client, command)
        assert await_events_of(intake_client, command)[command.submission_id]["anonymous"] is True
        with pytest.raises(UnknownCase):
            office.identity_of(intake_client, command.submission_id)
        assert not office.sql("SELECT 1 FROM identity_openings WHERE submission_id = %s", command.submission_id)

    def test_an_identity_moved_to_another_submission_is_not_opened(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        commands = [office.submission(identity=citizen()) for _ in range(2)]
        send(intake_client, *commands)
        office.stored(*commands)
        submission_id, other_id = (command.submission_id for command in commands)
        office.sql("DELETE FROM identities WHERE submission_id = %s", other_id)
        office.sql("UPDATE identities SET submission_id = %s WHERE submission_id = %s", other_id, submission_id)
        with pytest.raises(Exception, match=r"\{\}") as failure:
            office.identity_of(intake_client, other_id)
        assert NAME not in str(failure.value)

    def test_an_identity_sealed_to_another_key_is_dead_lettered_and_others_are_handled(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        good = [office.submission(identity=citizen()) for _ in range(40)]
        elsewhere = sealing.public_key(bytes(31) + b"\1")
        bad = office.submission(identity=citizen())
        bad = bad.model_copy(update={"sealed_identity": sealing.seal(citizen(), elsewhere)})
        damaged = office.submission(identity=citizen()).model_copy(update={"sealed_identity": "c2VhbGVk"})
        with office.asleep():
            send(intake_client, *good[:20], bad, damaged, *good[20:])
        office.stored(*good)
        await_events_of(intake_client, *good)
        eventually(lambda: intake_client.queue_depth("dead-letters") == 2)
        assert office.number("submissions", [bad.submission_id, damaged.submission_id]) == 0, "whole or not at all"
        for _ in range(2):
            letter = intake_client.take("dead-letters")
            assert letter is not None
            properties, body = letter
            assert json.loads(body)["submission_id"] in {str(bad.submission_id), str(damaged.submission_id)}
            assert properties.headers["peygir-error"] == "CannotOpen: sealed to a key that is not held"
            assert properties.headers["peygir-queue"] == "intake.submissions"
            assert now() - datetime.fromisoformat(properties.headers["peygir-died"]) < timedelta(minutes=2)
