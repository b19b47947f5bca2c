"""Custodians are notified of who asked for which account and what became of it, in whole sentences of both languages."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from contracts.accounts import StaffChangeState
from contracts.base import now
from contracts.staff_changes import StaffChangeDecided, StaffChangeRequested
from contracts.vocabulary import Role
from services.notify.delivery.outcome import outcome_event
from services.notify.notifications.composer import MessageComposer
from services.notify.notifications.registry import shipped_registry
from services.notify.wording.templates import shipped_templates

ABOUT: dict[str, Any] = {
    "change_id": uuid4(),
    "staff_id": uuid4(),
    "action": "add",
    "username": "head-2",
    "roles": [Role.HEAD, Role.CUSTODIAN],
    "asked_by": uuid4(),
    "asked_by_name": "راهبر سامانه",
}


def event(state: StaffChangeState | None = None, **more: Any) -> StaffChangeRequested | StaffChangeDecided:
    given = {"id": uuid4(), "occurred_at": now(), **ABOUT, **more}
    return StaffChangeRequested(**given) if state is None else StaffChangeDecided(**given, state=state)


def texts_of(about: StaffChangeRequested | StaffChangeDecided, language: str) -> dict[str, str]:
    """Role → the text in its inbox."""
    registry, templates = shipped_registry(), shipped_templates()
    texts = {}
    for draft in MessageComposer(registry).compose(about):
        assert draft.case_id is None
        values = templates.write(draft.params, language, registry.values)
        texts[str(draft.address.role)] = templates.render(draft.channel, draft.template, language, values)
    return texts


@pytest.mark.parametrize("action", ["add", "change", "reset_credentials"])
def test_a_request_notifies_custodians_and_administrators(action: str) -> None:
    for language in ("fa", "en"):
        texts = texts_of(event(action=action), language)
        assert set(texts) == {"custodian", "administrator"}
        for text in texts.values():
            assert "head-2" in text
            assert "راهبر سامانه" in text
    assert "head of inspection, custodian of identities" in texts_of(event(action=action), "en")["custodian"]
    assert "مدیر بازرسی، امین هویت" in texts_of(event(action=action), "fa")["custodian"]


@pytest.mark.parametrize("state", [state for state in StaffChangeState if state is not StaffChangeState.PENDING])
def test_the_result_notifies_custodians_only(state: StaffChangeState) -> None:
    decider = {"decided_by": uuid4(), "decided_by_name": "راهبر دوم"} if state in ("confirmed", "denied") else {}
    for language in ("fa", "en"):
        texts = texts_of(event(state, **decider), language)
        assert set(texts) == {"custodian"}
        assert ("راهبر دوم" in texts["custodian"]) is bool(decider)
        assert bool(re.search("[آ-ی]", re.sub("راهبر( دوم| سامانه)", "", texts["custodian"]))) is (language == "fa")


def test_a_change_made_on_the_server_names_no_requester() -> None:
    done = event(StaffChangeState.CONFIRMED, asked_by=None, asked_by_name=None)
    assert "on the server" in texts_of(done, "en")["custodian"]
    assert "None" not in texts_of(done, "en")["custodian"]


@pytest.mark.parametrize(("audience", "to_citizen"), [("citizen", True), ("mentioned", False), ("custodian", False)])
def test_a_message_records_whether_it_went_to_the_citizen(audience: str, to_citizen: bool) -> None:
    row = {"id": uuid4(), "case_id": uuid4(), "template": "mentioned", "channel": "inbox", "audience": audience}
    assert outcome_event(row, "delivered", None, now()).to_citizen is to_citizen  # type: ignore[union-attr]  # it was delivered
