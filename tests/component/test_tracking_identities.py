"""Opening a sealed identity takes two people, a reason, and time that ends."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from contracts.errors import (
    AlreadyDecided,
    ConsentNeeded,
    InvalidField,
    KeyReused,
    NotAllowed,
    NotFound,
    PeygirError,
    UnknownCase,
)
from contracts.gateway import Actor
from contracts.identities import AskForIdentity, DecideIdentityRequest, ListIdentityRequests
from contracts.tracking import AuthorizeIdentity
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.processes import BusClient, ServiceProcess, bus, prepared
from tests.support.tracking import UNIT, Office, actor

REASON = "برای دعوت به جلسه"


@pytest.fixture(scope="module")
def service(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    environment = prepared("tracking", broker.url, postgres.url, "tracking_identities", IDENTITY_MINUTES_MOST="120")
    process = ServiceProcess("tracking", environment, tmp_path_factory.mktemp("tracking") / "tracking.log").start()
    yield process
    process.stop()


@pytest.fixture
def office(service: ServiceProcess, wire: BusClient) -> Office:
    return Office(wire, service.environment["DATABASE_URL"]).gather()


@pytest.fixture
def case_id(office: Office) -> UUID:
    found: UUID = office.open().case_id
    return found


@pytest.fixture
def head() -> Actor:
    return actor(Role.HEAD)


@pytest.fixture
def custodian() -> Actor:
    return actor(Role.CUSTODIAN)


def asks(office: Office, who: Actor, case_id: UUID, key: str = "", **more: Any) -> dict[str, Any]:
    told = {"reason": REASON, "minutes": 60, "idempotency_key": key or uuid.uuid4().hex} | more
    found: dict[str, Any] = office.ask("ask_for_identity", AskForIdentity(actor=who, case_id=case_id, **told))
    return found


def decides(office: Office, who: Actor, request: dict[str, Any], consent: bool, reason: str | None = None) -> Any:
    asked = DecideIdentityRequest(actor=who, request_id=request["request_id"], consent=consent, reason=reason)
    return office.ask("decide_identity_request", asked)


def may_open(office: Office, who: Actor, case_id: UUID) -> Any:
    return office.ask("authorize_identity", AuthorizeIdentity(actor=who, case_id=case_id))


def listed(office: Office, who: Actor, **more: Any) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = office.ask("list_identity_requests", ListIdentityRequests(actor=who, after=after, limit=2, **more))
        found += [one["request_id"] for one in page["items"]]
        after = page["next"]
        if after is None:
            return found


def test_nobody_opens_an_identity_alone(office: Office, case_id: UUID, head: Actor, custodian: Actor) -> None:
    for who in (head, custodian):
        with pytest.raises(ConsentNeeded):
            may_open(office, who, case_id)
        request = asks(office, who, case_id)
        with pytest.raises(ConsentNeeded):
            may_open(office, who, case_id)
        with pytest.raises(NotAllowed):
            decides(office, who, request, True)


def test_who_asked_may_open_it_once_a_custodian_has_consented_and_nobody_else(
    office: Office, case_id: UUID, head: Actor, custodian: Actor
) -> None:
    request = asks(office, head, case_id)
    assert (request["state"], request["reason"], request["asked_by"]) == ("waiting", REASON, head.id)
    decided = decides(office, custodian, request, True, "لازم است.")
    assert (decided["state"], decided["decided_by"], decided["answer"]) == ("consented", custodian.id, "لازم است.")
    assert may_open(office, head, case_id)["consented_by"] == custodian.id
    for other in (custodian, actor(Role.HEAD)):
        with pytest.raises(ConsentNeeded):
            may_open(office, other, case_id)
    with pytest.raises(ConsentNeeded):
        may_open(office, head, office.open().case_id)


def test_a_consent_ends(office: Office, case_id: UUID, head: Actor, custodian: Actor) -> None:
    request = asks(office, head, case_id, minutes=15)
    decides(office, custodian, request, True)
    [(minutes,)] = office.rows(
        "SELECT extract(epoch FROM open_until - decided_at) / 60 FROM identity_requests WHERE request_id = %s",
        request["request_id"],
    )
    assert minutes == 15
    over = "UPDATE identity_requests SET open_until = now() - interval '1 s' WHERE request_id = %s RETURNING 1"
    office.rows(over, request["request_id"])
    with pytest.raises(ConsentNeeded):
        may_open(office, head, case_id)


def test_what_a_custodian_refused_stays_refused(office: Office, case_id: UUID, head: Actor, custodian: Actor) -> None:
    request = asks(office, head, case_id)
    decides(office, custodian, request, False, "دلیل کافی نیست.")
    assert decides(office, custodian, request, False, "دلیل کافی نیست.")["state"] == "refused"
    for who, consent in ((custodian, True), (actor(Role.CUSTODIAN), True), (actor(Role.CUSTODIAN), False)):
        with pytest.raises(AlreadyDecided):
            decides(office, who, request, consent)
    with pytest.raises(ConsentNeeded):
        may_open(office, head, case_id)


def test_of_several_custodians_at_once_one_decides(
    office: Office, service: ServiceProcess, case_id: UUID, head: Actor
) -> None:
    request = asks(office, head, case_id)

    def decide(consent: bool) -> str:
        with bus(service.environment["AMQP_URL"]) as wire:
            apart = Office(wire, service.environment["DATABASE_URL"])
            try:
                return str(decides(apart, actor(Role.CUSTODIAN), request, consent)["state"])
            except AlreadyDecided as error:
                return error.code

    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(decide, [True, False] * 3))
    assert sorted(told).count("already_decided") == 5


def test_the_same_request_under_its_key_is_one(office: Office, case_id: UUID, head: Actor) -> None:
    key = uuid.uuid4().hex
    assert asks(office, head, case_id, key) == asks(office, head, case_id, key)
    with pytest.raises(KeyReused):
        asks(office, head, case_id, key, reason="دلیل دیگری")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.HEAD, Role.CUSTODIAN}))
def test_nobody_else_asks_decides_or_reads(office: Office, case_id: UUID, head: Actor, role: Role) -> None:
    request, other = asks(office, head, case_id), actor(role, "insp")
    for attempt in (
        lambda: asks(office, other, case_id),
        lambda: decides(office, other, request, True),
        lambda: listed(office, other),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    with pytest.raises(NotAllowed):
        decides(office, actor(Role.HEAD), request, True)


def test_a_conflict_of_interest_hides_all_of_it(office: Office, case_id: UUID, head: Actor, custodian: Actor) -> None:
    request = asks(office, head, case_id)
    assert listed(office, custodian)[0] == listed(office, head)[0] == request["request_id"]
    theirs = actor(Role.CUSTODIAN, UNIT)
    assert request["request_id"] not in listed(office, theirs)
    with pytest.raises(NotFound):
        decides(office, theirs, request, True)
    for who in (theirs, actor(Role.HEAD, UNIT)):
        with pytest.raises(UnknownCase):
            asks(office, who, case_id)


def test_a_head_reads_their_own_and_custodians_what_waits(
    office: Office, case_id: UUID, head: Actor, custodian: Actor
) -> None:
    made = [asks(office, head, case_id)["request_id"] for _ in range(5)]
    other = asks(office, actor(Role.HEAD), case_id)
    assert listed(office, head) == made[::-1]
    assert listed(office, custodian)[:6] == [other["request_id"], *made[::-1]]
    decides(office, custodian, other, False)
    assert other["request_id"] not in listed(office, custodian, waiting_only=True)
    assert set(made) <= set(listed(office, custodian, waiting_only=True))


@pytest.mark.parametrize(
    ("more", "error"), [({"minutes": 121}, InvalidField), ({"reason": "کوتاه\x00است"}, PeygirError)]
)
def test_what_cannot_be_asked_is_refused(
    office: Office, case_id: UUID, head: Actor, more: dict[str, Any], error: type[PeygirError]
) -> None:
    with pytest.raises(error):
        asks(office, head, case_id, **more)
    with pytest.raises(UnknownCase):
        asks(office, head, uuid.uuid4())
