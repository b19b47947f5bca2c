"""Whatever the office does for itself leaves every byte that a citizen or a unit is answered as it was, and no stream moves."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx

from backbone.persian import jalali
from contracts.base import now
from tests.e2e.people import JSON, UNIT, Caller, Officer, Town, good
from tests.resilience.final_checks import check_nothing_waits
from tests.support import media_samples
from tests.support.processes import eventually
from tests.support.seeds import chosen_seed

SEED = chosen_seed()
PASSING = frozenset({"date", "x-request-id", "traceparent", "server-timing"})
"""Headers that belong to one answer alone."""


class Stream:
    """What an open stream has said."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.events: list[JSON] = []
        self._url, self._headers = url, headers
        self.opened = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            with httpx.stream("GET", self._url, headers=self._headers, trust_env=False, timeout=300) as answer:
                assert answer.status_code == 200
                self.opened.set()
                for line in answer.iter_lines():
                    if line.startswith("data:"):
                        self.events.append(json.loads(line.removeprefix("data:")))
        except httpx.HTTPError:
            return


@contextmanager
def streams(town: Town, *callers: Caller) -> Iterator[list[Stream]]:
    opened = []
    for caller in callers:
        headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {"Tracking-Code": caller.code}
        opened.append(Stream(f"{town.system.gateway_url}/v1/stream", headers))
    for stream in opened:
        assert stream.opened.wait(30)
    yield opened


def changes(stream: Stream) -> list[JSON]:
    return [event for event in stream.events if event["event"] == "case.changed"]


def answers(callers: dict[str, Caller], case_id: str) -> dict[str, tuple[int, bytes, dict[str, str]]]:
    """All that the holder of the code, its citizen and the unit are answered: status, body, headers."""
    asked = [
        *(("holder", path) for path in ("/v1/tracking", "/v1/tracking/messages")),
        *(("citizen", path) for path in ("/v1/me/cases", f"/v1/me/cases/{case_id}", "/v1/me/messages", "/v1/me")),
        *(("liaison", path) for path in ("/v1/unit-questions", "/v1/unit-questions?open_only=false")),
        *(("liaison", path) for path in ("/v1/recommendations", "/v1/messages")),
    ]
    read = {}
    for who, path in asked:
        answer = callers[who].request("GET", path)
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in PASSING}
        read[f"{who} {path}"] = (answer.status_code, answer.content, headers)
    return read


def test_no_internal_command_changes_a_byte_of_what_citizen_and_unit_are_answered(town: Town) -> None:
    print(f"PEYGIR_SEED={SEED} plays this order again")
    order = random.Random(SEED)
    other = town.report()
    town.assigned(other)
    case, _, citizen = town.complaint()
    case_id = str(case.view()["case_id"])
    inspector, second, head = town.assigned(case), town.officer("inspector2"), town.officer("head")
    liaison = town.officer("liaison").caller

    def told() -> set[str]:
        return {message["id"] for message in good(liaison.get("/v1/messages"))["items"]}

    known = told()
    inspector.do(case_id, "unit-questions", text="چرا تأخیر شده است؟", unit=UNIT)
    eventually(lambda: told() - known)
    callers = {"holder": case.holder, "citizen": citizen, "liaison": liaison}
    year = jalali.today(now()).replace(year=now().year + 1).isoformat()

    def by(officer: Officer, command: str, **body: Any) -> Callable[[], object]:
        return lambda: officer.do(case_id, command, **body)

    def tick() -> None:
        item = inspector.do(case_id, "checklist", text="بازدید")["checklist"][-1]["item_id"]
        inspector.do(case_id, f"checklist/{item}", done=True)

    def advice() -> None:
        asked = inspector.do(case_id, "consultations", colleague=second.staff_id, text="چه کنیم؟")
        second.do(case_id, f"consultations/{asked['consultations'][-1]['consultation_id']}/answer", text="صبر کنید.")

    def advice_ended() -> None:
        asked = inspector.do(case_id, "consultations", colleague=second.staff_id, text="و اکنون؟")
        inspector.do(case_id, f"consultations/{asked['consultations'][-1]['consultation_id']}/end")

    def helper() -> None:
        inspector.do(case_id, "co-handlers", inspector=second.staff_id)
        inspector.do(case_id, f"co-handlers/{second.staff_id}/removal")

    def another_inspector() -> None:
        head.do(case_id, "assignment", inspector=second.staff_id)
        head.do(case_id, "assignment", inspector=inspector.staff_id)

    def photo() -> None:
        upload = inspector.caller.upload(media_samples.photo())
        inspector.do(case_id, "evidence", uploads=[upload])

    internal: list[tuple[str, Callable[[], object]]] = [
        ("note", by(inspector, "notes", text="با مسئول دفتر تماس گرفته شد.")),
        ("note with a mention", by(inspector, "notes", text="ببینید.", mentions=[head.staff_id])),
        ("reminder", by(inspector, "reminders", on=year, text="پیگیری")),
        ("check", by(inspector, "checklist", text="تماس")),
        ("check ticked", tick),
        ("link", by(inspector, "links", to=other.view()["case_id"])),
        ("advice", advice),
        ("advice ended", advice_ended),
        ("second inspector", helper),
        ("another inspector", another_inspector),
        ("evidence of the office", photo),
    ]
    order.shuffle(internal)

    def settled() -> dict[str, tuple[int, bytes, dict[str, str]]]:
        check_nothing_waits(town.system)
        first = answers(callers, case_id)
        assert answers(callers, case_id) == first
        return first

    before = eventually(settled, why="notifications of what came before still arrive")
    with streams(town, case.holder, citizen) as opened:
        for name, act in internal:
            act()
            assert answers(callers, case_id) == before, name
        version = case.view()["version"]
        good(case.holder.post("/v1/tracking/messages", {"text": "هنوز منتظرم."}))
        for stream in opened:
            # What is noticed comes next, as if nothing had been in between.
            [event] = eventually(partial(changes, stream))
            assert (event["version"], event["stage"]) == (version + 1, "awaiting_unit")
    after = case.view()
    assert after["version"] == version + 1
    assert [line["sequence"] for line in after["timeline"]] == list(range(1, len(after["timeline"]) + 1))
