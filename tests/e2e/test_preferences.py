"""How a person wants to be told: channel, language, quiet hours, of an account and of a case by its code."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backbone.persian import jalali
from contracts.base import now
from tests.e2e.people import Town, good
from tests.e2e.test_configuration import wrong
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)

OWN, BY_CODE = "/v1/me/preferences", "/v1/tracking/preferences"


def test_a_citizen_is_told_in_the_language_they_chose_and_of_what_they_want(town: Town) -> None:
    case, phone, citizen = town.complaint()
    case.view()
    before = good(citizen.get(OWN))
    assert (before["channel"], before["language"], before["quiet"], before["chosen"]) == ("both", None, None, False)
    chosen = good(citizen.request("PUT", OWN, json={"channel": "none", "language": "en"}))
    assert (chosen["channel"], chosen["language"], chosen["chosen"]) == ("none", "en", True)
    assert good(citizen.get(OWN)) == chosen
    other = town.file(
        citizen,
        kind="complaint",
        unit="dep.urb.permits",
        ground="delay",
        text="پرونده دیگرم دو ماه مانده است.",
        identity={"name": "شاکی نمونه"},
    )
    text = phone.next()
    assert other.dashed in text, "the code comes whatever is preferred"
    assert "complaint" in text
    # It is not told of the withdrawal, which is nothing that the office owes; the inbox has it.
    good(other.holder.post("/v1/tracking/withdrawal", {}))
    eventually(lambda: len(other.inbox()) == 2)
    good(citizen.request("PUT", OWN, json={"channel": "both"}))
    good(case.holder.post("/v1/tracking/withdrawal", {}))
    assert case.dashed in phone.next(), "the next SMS is of the other case"


def test_the_holder_of_a_code_chooses_for_its_case(town: Town) -> None:
    case, phone, citizen = town.complaint()
    case.view()
    chosen = {"channel": "sms", "language": "en"}
    eventually(lambda: good(case.holder.request("PUT", BY_CODE, json=chosen)))  # once notify has heard of the case
    assert good(citizen.get(OWN))["chosen"] is False, "of this case alone"
    good(case.holder.post("/v1/tracking/withdrawal", {}))
    text = phone.next()
    assert case.dashed in text
    assert "withdr" in text


def test_messages_wait_for_the_end_of_ones_own_quiet_hours(town: Town) -> None:
    case, phone, citizen = town.complaint()
    local = now().astimezone(jalali.TEHRAN)
    around = {"start": f"{local - timedelta(hours=2):%H:%M}", "until": f"{local + timedelta(hours=2):%H:%M}"}
    assert good(citizen.request("PUT", OWN, json={"channel": "both", "quiet": around}))["quiet"] == around
    town.assigned(case)
    inspector = town.officer("inspector")
    inspector.do(case.view()["case_id"], "citizen-questions", text="چه روزی مراجعه کردید؟")
    eventually(lambda: len(case.inbox()) == 2)
    # What answers them at this moment is not held back, and overtakes what waits.
    good(case.holder.post("/v1/tracking/withdrawal", {}))
    eventually(lambda: len(case.inbox()) == 3)
    phone.next()
    sent = town.control.get("/_control/messages", params={"receptor": phone.mobile, "after": 0}).json()["messages"]
    assert len(sent) == 3, "one-time code, receipt, withdrawal; the question waits"


def test_staff_choose_pushes_or_nothing(town: Town) -> None:
    auditor = town.officer("auditor").caller
    assert set(wrong(auditor.request("PUT", OWN, json={"channel": "sms"}))) == {"channel"}
    assert good(auditor.request("PUT", OWN, json={"channel": "none"}))["channel"] == "none"
    assert good(auditor.request("PUT", OWN, json={"channel": "both"}))["chosen"] is False


@pytest.mark.parametrize(
    "body",
    [{}, {"channel": "pigeon"}, {"channel": "sms", "language": "de"}, {"channel": "sms", "quiet": {"start": "7"}}],
)
def test_what_cannot_be_chosen_is_refused(town: Town, body: dict[str, object]) -> None:
    _, _, citizen = town.complaint()
    assert citizen.request("PUT", OWN, json=body).status_code == 422
