"""The registry of operations that put one request to one service."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import tracking_codes
from contracts.errors import NotFound
from contracts.identities import ListIdentityRequests
from contracts.notify import MarkRead, MessagePage, NotificationText
from contracts.searches import Search
from contracts.visits import AddRoom, CloseRoom, ListSlots, Room
from gateway.api.request_endpoints import PAGE, STAFF, Field, RequestEndpoint, Rpc
from gateway.api.visits.bodies import RoomBody
from tests.support.gateway import UNLIMITED, Gateway, bearer, refusing

SEARCH_ID = UUID("5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11")
CLOSE_ROOM = Rpc("tracking.close_room", CloseRoom, Room)
KEY = {"Idempotency-Key": "a-key-of-mine"}


@pytest.fixture
def gateway(tmp_path: Any) -> Gateway:
    return Gateway(tmp_path, **UNLIMITED)


def last_request(gateway: Gateway) -> Any:
    return gateway.rabbit.calls[-1][1]


def entry(**changed: Any) -> RequestEndpoint:
    given: dict[str, Any] = {
        "route": "POST /rooms",
        "operation_id": "addRoom",
        "summary": "Add a room",
        "description": "By head or administrator.",
        "sender": STAFF,
        "rpc": Rpc("tracking.add_room", AddRoom, Room),
        "body": RoomBody,
    }
    return RequestEndpoint(**{**given, **changed})


def test_an_entry_that_would_not_fill_its_request_is_refused() -> None:
    with pytest.raises(TypeError, match="addRoom"):
        entry(body=None)


def test_an_entry_that_gives_what_its_request_has_not_is_refused() -> None:
    with pytest.raises(TypeError, match="addRoom"):
        entry(parameters=PAGE)


def test_a_parameter_of_the_path_has_to_be_declared() -> None:
    with pytest.raises(TypeError, match="addRoom"):
        entry(route="POST /rooms/{room_id}/closing", rpc=CLOSE_ROOM, body=None)


def test_statuses_follow_from_sender_parameters_and_version() -> None:
    declared = set(entry().responses())
    assert {401, 403, 409, 422} <= declared
    assert not {404, 412, 428} & declared
    closing = entry(route="POST /rooms/{room_id}", rpc=CLOSE_ROOM, body=None, parameters={"room_id": Field(UUID)})
    assert 422 in closing.responses()


def test_a_status_that_follows_is_not_named_again() -> None:
    with pytest.raises(TypeError, match="addRoom"):
        entry(errors=(404, 409))


def test_a_field_may_have_another_name_than_its_parameter(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.list_identity_requests"] = refusing(NotFound())
    gateway.send("GET", "/v1/identity-requests?waiting=true&limit=7", headers=bearer(gateway.keys.staff("custodian")))
    request = last_request(gateway)
    assert isinstance(request, ListIdentityRequests)
    assert (request.waiting_only, request.limit) == (True, 7)


def test_roles_are_asked_for_before_the_service_is(gateway: Gateway) -> None:
    answer = gateway.send("GET", "/v1/identity-requests", headers=bearer(gateway.keys.staff("screener")))
    assert answer.status_code == 403
    assert gateway.rabbit.calls == []


def test_key_and_version_reach_the_service_and_the_new_version_the_caller(gateway: Gateway) -> None:
    gateway.rabbit.answers["notify.change_notification_text"] = lambda _: partly(NotificationText, version=5)
    headers = bearer(gateway.keys.staff("administrator")) | KEY | {"If-Match": '"4"'}
    answer = gateway.send("DELETE", "/v1/notification-texts/sms/decided", headers=headers)
    request = last_request(gateway)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"5"')
    assert (request.expected_version, request.idempotency_key) == (4, "a-key-of-mine")
    assert (request.text_fa, request.text_en) == (None, None)


def test_without_a_version_nothing_is_asked(gateway: Gateway) -> None:
    headers = bearer(gateway.keys.staff("inspector"))
    assert gateway.send("DELETE", f"/v1/searches/{SEARCH_ID}", headers=headers).status_code == 428
    assert gateway.rabbit.calls == []


def test_what_was_made_has_its_address(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.keep_search"] = lambda _: partly(Search, search_id=SEARCH_ID, version=1)
    body = {"name": "x", "filters": {"unit": ["dep.urb"]}}
    answer = gateway.send("POST", "/v1/searches", json=body, headers=bearer(gateway.keys.staff("inspector")) | KEY)
    request = last_request(gateway)
    assert answer.status_code == 201
    assert (answer.headers["location"], answer.headers["etag"]) == (f"/v1/searches/{SEARCH_ID}", '"1"')
    assert (request.name, request.filters.unit) == ("x", ["dep.urb"])


def test_the_holder_of_a_code_is_asked_for_by_its_hashes(gateway: Gateway) -> None:
    gateway.rabbit.answers["notify.mark_read"] = lambda _: MessagePage(items=[])
    code = tracking_codes.mint(gateway.container.mac_keys)
    ids = [str(uuid4())]
    answer = gateway.send("POST", "/v1/tracking/messages/read", json={"ids": ids}, headers={"Tracking-Code": code})
    assert answer.status_code == 200, answer.text
    request = last_request(gateway)
    assert isinstance(request, MarkRead)
    assert [str(message_id) for message_id in request.ids] == ids
    assert request.actor is not None
    assert request.actor.id == request.code_hashes[0]


def test_a_query_becomes_fields_of_the_request(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.list_slots"] = refusing(NotFound())
    inspector = uuid4()
    gateway.send("GET", f"/v1/visit-slots?inspector={inspector}", headers=bearer(gateway.keys.staff("head")))
    request = last_request(gateway)
    assert isinstance(request, ListSlots)
    assert request.inspector == inspector


def partly(model: Any, **fields: Any) -> Any:
    """An answer of a service with these fields alone."""
    return model.model_construct(**fields)
