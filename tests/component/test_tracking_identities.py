"""Opening a sealed identity takes two people, a reason, and time that ends."""

from __future__ import annotations

import uuid
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
from contracts.vocabulary import IDENTITY_ROLES, Role
from tests.support.processes import ServiceProcess, open_broker_client
from tests.support.tracking import UNIT, Office, actor

REASON = "برای دعوت به جلسه"


@pytest.fixture(scope="module")
def tracking_settings() -> dict[str, str]:
    return {"IDENTITY_MINUTES_MOST": "120"}


@pytest.fixture
def case_id(office: Office) -> UUID:
    new_case_id: UUID = office.open().case_id
    return new_case_id


@pytest.fixture
def head() -> Actor:
    return actor(Role.HEAD)


@pytest.fixture
def custodian() -> Actor:
    return actor(Role.CUSTODIAN)


def asks(office: Office, who: Actor, case_id: UUID, key: str = "", **more: Any) -> dict[str, Any]:
    values = {"reason": REASON, "minutes": 60, "idempotency_key": key or uuid.uuid4().hex} | more
    answer: dict[str, Any] = office.ask("ask_for_identity", AskForIdentity(actor=who, case_id=case_id, **values))
    return answer


def decides(office: Office, who: Actor, request: dict[str, Any], consent: bool, reason: str | None = None) -> Any:
    decision = DecideIdentityRequest(actor=who, request_id=request["request_id"], consent=consent, reason=reason)
    return office.ask("decide_identity_request", decision)


def may_open(office: Office, who: Actor, case_id: UUID) -> Any:
    return office.ask("authorize_identity", AuthorizeIdentity(actor=who, case_id=case_id))


def listed(office: Office, who: Actor, **more: Any) -> list[str]:
    request_ids: list[str] = []
    after = None
    while True:
        page = office.ask("list_identity_requests", ListIdentityRequests(actor=who, after=after, limit=2, **more))
        request_ids += [item["request_id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            return request_ids


def test_nobody_opens_an_identity_alone(office: Office, case_id: UUID, head: Actor, custodian: Actor) -> None:
    for who in (head, custodian):
        with pytest.raises(ConsentNeeded):
            may_open(office, who, case_id)
        request = asks(office, who, case_id)
        with pytest.raises(ConsentNeeded):
            may_open(office, who, case_id)
        with pytest.raises(NotAllowed):
            decides(office, who, request, True)


def test_only_the_requester_may_open_it_after_a_custodian_consented(
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


def test_an_inspector_asks_and_a_head_opens_it(office: Office, custodian: Actor, head: Actor) -> None:
    case_id = office.investigated().case_id
    inspector = office.inspector
    request = asks(office, inspector, case_id)
    assert request["for_head"]
    # Who asked sees what became of it; another inspector neither asks nor sees.
    assert listed(office, inspector) == [request["request_id"]]
    stranger = actor(Role.INSPECTOR)
    with pytest.raises(UnknownCase):
        asks(office, stranger, case_id)
    assert listed(office, stranger) == []
    # A custodian sees of which case it is, and nothing of what it says.
    page = office.ask("list_identity_requests", ListIdentityRequests(actor=custodian))
    [shown] = [item for item in page["items"] if item["request_id"] == request["request_id"]]
    number = office.value("SELECT number FROM cases WHERE case_id = %s", case_id)
    assert (shown["number"], shown["stage"], shown["unit"]) == (number, "investigating", UNIT)
    with pytest.raises(ConsentNeeded):
        may_open(office, head, case_id)
    decides(office, custodian, request, True)
    assert may_open(office, head, case_id)["consented_by"] == custodian.id
    # The inspector opens nothing, and the custodian nothing by their own consent.
    with pytest.raises(NotAllowed):
        may_open(office, inspector, case_id)
    with pytest.raises(ConsentNeeded):
        may_open(office, custodian, case_id)


def test_a_consent_expires(office: Office, case_id: UUID, head: Actor, custodian: Actor) -> None:
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


def test_a_request_refused_by_a_custodian_stays_refused(
    office: Office, case_id: UUID, head: Actor, custodian: Actor
) -> None:
    request = asks(office, head, case_id)
    decides(office, custodian, request, False, "دلیل کافی نیست.")
    assert decides(office, custodian, request, False, "دلیل کافی نیست.")["state"] == "refused"
    for who, consent in ((custodian, True), (actor(Role.CUSTODIAN), True), (actor(Role.CUSTODIAN), False)):
        with pytest.raises(AlreadyDecided):
            decides(office, who, request, consent)
    with pytest.raises(ConsentNeeded):
        may_open(office, head, case_id)


def test_one_of_several_simultaneous_custodians_decides(
    office: Office, tracking: ServiceProcess, case_id: UUID, head: Actor
) -> None:
    request = asks(office, head, case_id)

    def decide(consent: bool) -> str:
        with open_broker_client(tracking.environment["AMQP_URL"]) as broker_client:
            apart = Office(broker_client, tracking.environment["DATABASE_URL"])
            try:
                return str(decides(apart, actor(Role.CUSTODIAN), request, consent)["state"])
            except AlreadyDecided as error:
                return error.code

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(decide, [True, False] * 3))
    assert sorted(outcomes).count("already_decided") == 5


def test_a_repeated_request_with_its_key_counts_once(office: Office, case_id: UUID, head: Actor) -> None:
    key = uuid.uuid4().hex
    assert asks(office, head, case_id, key) == asks(office, head, case_id, key)
    with pytest.raises(KeyReused):
        asks(office, head, case_id, key, reason="دلیل دیگری")


def test_an_inspector_asks_about_no_case_of_others_and_decides_nothing(
    office: Office, case_id: UUID, head: Actor
) -> None:
    request, other = asks(office, head, case_id), actor(Role.INSPECTOR, "insp")
    with pytest.raises(UnknownCase):
        asks(office, other, case_id)
    with pytest.raises(NotAllowed):
        decides(office, other, request, True)
    assert listed(office, other) == []


@pytest.mark.parametrize("role", sorted(set(Role) - IDENTITY_ROLES - {Role.INSPECTOR}))
def test_no_other_role_requests_decides_or_reads(office: Office, case_id: UUID, head: Actor, role: Role) -> None:
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


def test_a_conflict_of_interest_hides_everything_about_it(
    office: Office, case_id: UUID, head: Actor, custodian: Actor
) -> None:
    request = asks(office, head, case_id)
    assert listed(office, custodian)[0] == listed(office, head)[0] == request["request_id"]
    theirs = actor(Role.CUSTODIAN, UNIT)
    assert request["request_id"] not in listed(office, theirs)
    with pytest.raises(NotFound):
        decides(office, theirs, request, True)
    for who in (theirs, actor(Role.HEAD, UNIT)):
        with pytest.raises(UnknownCase):
            asks(office, who, case_id)


def test_a_head_reads_their_own_requests_and_custodians_the_waiting_ones(
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
def test_an_invalid_request_is_refused(
    office: Office, case_id: UUID, head: Actor, more: dict[str, Any], error: type[PeygirError]
) -> None:
    with pytest.raises(error):
        asks(office, head, case_id, **more)
    with pytest.raises(UnknownCase):
        asks(office, head, uuid.uuid4())
