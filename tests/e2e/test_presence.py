"""Who has a case before them now, and who changed it: told live to the staff who may know of the case, whichever gateway they are
at, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.hostile_parts import another_gateway
from tests.e2e.live_parts import Browser, Stream, staff_browser
from tests.e2e.people import JSON, UNIT, Officer, Town, good
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def other_gateway(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with another_gateway(town.system, tmp_path_factory.mktemp("other")) as (_, url):
        yield url


def of(officer: Officer) -> dict[str, str]:
    return {"Authorization": f"Bearer {officer.caller.token}"}


def say(browser: Browser, case_id: str, state: str, url: str | None = None) -> list[tuple[str, str]]:
    answer = good(browser.request("PUT", f"/v1/cases/{case_id}/presence", url, json={"state": state}))
    assert 0 < answer["renew_in"] < answer["expires_in"]
    return there(answer)


def there(answer: JSON) -> list[tuple[str, str]]:
    people: list[JSON] = answer["items"] if "items" in answer else answer["present"]
    return [(person["name"], person["state"]) for person in people]


def present(browser: Browser, case_id: str, url: str | None = None) -> list[tuple[str, str]]:
    return there(good(browser.get(f"/v1/cases/{case_id}/presence", url)))


def new_case(town: Town) -> str:
    return str(town.report().view()["case_id"])


def test_colleagues_at_another_gateway_see_who_looks_and_who_edits(town: Town, other_gateway: str) -> None:
    case_id = new_case(town)
    sara, _ = staff_browser(town, "screener", name="سارا آزمون")
    omid, _ = staff_browser(town, "screener", name="امید آزمون", url=other_gateway)
    stream = Stream(other_gateway, omid.headers)
    assert say(sara, case_id, "looking") == [("سارا آزمون", "looking")]
    stream.awaits("presence.changed", case_id, lambda event: there(event) == [("سارا آزمون", "looking")])
    say(sara, case_id, "looking")  # a renewal
    say(sara, case_id, "editing")
    stream.awaits("presence.changed", case_id, lambda event: there(event) == [("سارا آزمون", "editing")])
    assert say(omid, case_id, "looking") == [("امید آزمون", "looking"), ("سارا آزمون", "editing")]
    eventually(lambda: len(present(sara, case_id)) == 2)
    good(sara.request("DELETE", f"/v1/cases/{case_id}/presence"))
    stream.awaits("presence.changed", case_id, lambda event: there(event) == [("امید آزمون", "looking")])
    assert [there(event) for event in stream.events("presence.changed", case_id)] == [
        [("سارا آزمون", "looking")],
        [("سارا آزمون", "editing")],
        [("امید آزمون", "looking"), ("سارا آزمون", "editing")],
        [("امید آزمون", "looking")],
    ]


def test_nobody_else_learns_that_anybody_is_there(town: Town) -> None:
    case, _, citizen = town.complaint()
    case_id = str(case.view()["case_id"])
    url = town.system.gateway_url
    sees = Stream(url, of(town.officer("head")))
    streams = [
        Stream(url, {"Tracking-Code": case.code}),
        Stream(url, {"Authorization": f"Bearer {citizen.token}"}),
        # Of the unit complained about, and who do not have the case.
        *(Stream(url, of(town.officer(name))) for name in ("screener.permits", "liaison", "inspector2", "analyst")),
    ]
    sara, _ = staff_browser(town, "screener")
    say(sara, case_id, "editing")
    town.officer("screener").do(case_id, "screening")
    sees.awaits("presence.changed", case_id)
    for stream in streams[:2]:  # they were told of what came after it
        stream.awaits("case.changed", case_id)
    assert [stream.events("presence.changed", case_id) for stream in streams] == [[]] * len(streams)

    path = f"/v1/cases/{case_id}/presence"
    for name in ("screener.permits", "inspector2"):
        caller = town.officer(name).caller
        for method, body in (("PUT", {"state": "looking"}), ("GET", None), ("DELETE", None)):
            assert caller.request(method, path, json=body).status_code == 404
    for name in ("liaison", "analyst", "auditor", "custodian"):
        assert town.officer(name).caller.get(path).status_code == 403
    assert citizen.get(path).status_code == 403
    assert case.holder.get(path).status_code == 401
    assert [name for name, _ in present(sara, case_id)] == ["کارشناس آزمون"]


def test_what_a_killed_gateway_was_told_is_over_by_itself(
    town: Town, other_gateway: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    case_id = new_case(town)
    sara, _ = staff_browser(town, "screener", name="سارا رفته")
    stays, _ = staff_browser(town, "screener", name="امید مانده", url=other_gateway)
    with another_gateway(town.system, tmp_path_factory.mktemp("killed")) as (process, url):
        say(sara, case_id, "editing", url)
        eventually(lambda: ("سارا رفته", "editing") in present(stays, case_id))
        process.kill()
    stream = Stream(other_gateway, stays.headers)

    def renewed_alone() -> bool:
        say(stays, case_id, "looking")
        return present(stays, case_id) == [("امید مانده", "looking")]

    eventually(renewed_alone, timeout=90)
    stream.awaits("presence.changed", case_id, lambda event: there(event) == [("امید مانده", "looking")])


def test_a_change_says_who_made_it(town: Town) -> None:
    case, _, citizen = town.complaint()
    case_id = str(case.view()["case_id"])
    url = town.system.gateway_url
    head, own = Stream(url, of(town.officer("head"))), Stream(url, {"Authorization": f"Bearer {citizen.token}"})
    handler = town.assigned(case)
    changed = head.awaits("case.changed", case_id, lambda event: event["stage"] == "investigating")
    assert changed["by"] == {
        "kind": "staff",
        "id": town.officer("screener").staff_id,
        "name": "کارشناس غربالگری",
    }
    assert own.awaits("case.changed", case_id, lambda event: event["stage"] == "investigating")["by"] == {
        "kind": "office"
    }

    handler.do(case_id, "citizen-questions", text="شماره پرونده چیست؟")
    good(citizen.post(f"/v1/me/cases/{case_id}/answers", {"text": "۱۲۳۴"}))
    answered = head.awaits("case.changed", case_id, lambda event: event["by"]["kind"] == "citizen")
    assert answered["by"] == {"kind": "citizen"}
    assert own.awaits("case.changed", case_id, lambda event: event["by"]["kind"] == "citizen")["by"] == {
        "kind": "citizen"
    }
    assert head.awaits("message.arrived", case_id)["from"] == "citizen"
    # To the citizen a message is what the office wrote to them.
    assert all("from" not in event for event in own.events("message.arrived", case_id))


def test_staff_hear_at_once_that_a_unit_answered(town: Town) -> None:
    case, _, citizen = town.complaint()
    case_id = str(case.view()["case_id"])
    handler = town.assigned(case)
    url = town.system.gateway_url
    stream, own = Stream(url, of(handler)), Stream(url, {"Authorization": f"Bearer {citizen.token}"})
    handler.do(case_id, "unit-questions", unit=UNIT, text="چرا پاسخ داده نشد؟")
    liaison = town.officer("liaison").caller
    question = eventually(
        lambda: next(
            (item for item in good(liaison.get("/v1/unit-questions"))["items"] if item["text"].startswith("چرا پاسخ")),
            None,
        )
    )
    assert question is not None
    good(liaison.post(f"/v1/unit-questions/{question['question_id']}/answer", {"text": "در دست بررسی است."}))
    assert stream.awaits("message.arrived", case_id)["from"] == "unit"
    assert stream.awaits("case.changed", case_id, lambda event: event["by"]["kind"] == "unit")["by"] == {"kind": "unit"}
    seen = own.awaits("case.changed", case_id, lambda event: event["stage"] == "investigating")
    assert seen["by"] == {"kind": "office"}
