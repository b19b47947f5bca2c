"""Reading a case by its code: no service is asked for a bad one, and answers are cached until something happens."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone.persian.normalisation import persian_digits
from contracts import tracking_codes
from contracts.base import now
from contracts.errors import DeadlinePassed, StillRegistering, Unavailable, UnknownCase, WrongStage
from contracts.media import FileNames, ListFileNames, UploadState
from contracts.tracking import (
    CaseStageChanged,
    ExecuteCitizenCommand,
    PublicCase,
    PublicEntry,
    SentAttachment,
)
from contracts.vocabulary import Kind, Language, Stage
from gateway.cases.case_cache import CaseCache, RecentCodes
from tests.support.events import case_snapshot
from tests.support.gateway import UNLIMITED, Gateway, bearer, reasons, refusing

CASE = UUID("0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11")


def case(stage: Stage = Stage.SCREENING, **more: Any) -> PublicCase:
    given = {
        "case_id": CASE,
        "kind": Kind.CRITICISM,
        "stage": stage,
        "unit_name_fa": "راه‌ها",
        "unit_name_en": "Roads",
        "ground": "delay",
        "filed_at": now(),
        "expected_on": None,
        "timeline": [PublicEntry(sequence=1, at=now(), entry="opened", by="you", stage=Stage.REGISTERED)],
        "version": 2,
    }
    return PublicCase.model_validate(given | more)


def changed(case_id: UUID = CASE) -> str:
    state = case_snapshot(kind=Kind.CRITICISM, stage=Stage.SCREENING)
    return CaseStageChanged(id=uuid4(), occurred_at=now(), case_id=case_id, sequence=3, state=state).model_dump_json()


@pytest.fixture
def gateway(unlimited_gateway: Gateway) -> Gateway:
    unlimited_gateway.container.case_cache.set_subscribed(True)
    unlimited_gateway.rabbit.reset()
    unlimited_gateway.rabbit.answers["tracking.view_by_code"] = lambda _: case()
    return unlimited_gateway


@pytest.fixture
def code(gateway: Gateway) -> str:
    return tracking_codes.mint(gateway.container.mac_keys)


def read(gateway: Gateway, code: str, **headers: str) -> Any:
    return gateway.send("GET", "/v1/tracking", headers={"Tracking-Code": code, **headers})


def test_a_good_code_shows_its_case_in_the_language_asked_for(gateway: Gateway, code: str) -> None:
    fa, en = read(gateway, code), read(gateway, code, **{"Accept-Language": "en-GB, fa;q=0.5"})

    assert (fa.json()["stage_text"], fa.json()["unit_name"], fa.json()["ground_name"]) == (
        "در حال بررسی اولیه",
        "راه‌ها",
        "اطاله",
    )
    assert (en.json()["stage_text"], en.json()["unit_name"], en.json()["ground_name"]) == (
        "First reading",
        "Roads",
        "Delay",
    )
    assert (fa.headers["content-language"], en.headers["content-language"]) == ("fa", "en")
    assert fa.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "write", [tracking_codes.grouped, persian_digits, lambda c: f"{c[:4]}-{c[4:8]}-{c[8:12]}-{c[12:]}"]
)
def test_a_code_is_read_in_any_notation(gateway: Gateway, code: str, write: Any) -> None:
    assert gateway.send("POST", "/v1/tracking", json={"tracking_code": write(code)}).status_code == 200
    raw = write(code).encode()
    assert gateway.send("GET", "/v1/tracking", headers={b"Tracking-Code": raw}).status_code == 200


def test_a_bad_code_is_refused_without_calling_a_service(gateway: Gateway, code: str) -> None:
    last = str((int(code[-1]) + 1) % 10)
    for bad in (code[:-1] + last, "1" * 16, "1234", "کد", "'; DROP TABLE", "x" * 64):
        answer = gateway.send("POST", "/v1/tracking", json={"tracking_code": bad})
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_tracking_code"), bad
    assert gateway.rabbit.calls == []


def test_a_code_without_a_case_yet_is_being_registered_and_not_cached(gateway: Gateway, code: str) -> None:
    gateway.rabbit.answers["tracking.view_by_code"] = refusing(UnknownCase())
    for _ in range(2):
        answer = read(gateway, code)
        assert (answer.status_code, answer.json()) == (200, {"stage": "registering", "stage_text": "در حال ثبت"})
    assert len(gateway.rabbit.calls) == 2


def test_an_answer_is_cached_until_an_event_of_the_case(gateway: Gateway, code: str) -> None:
    for _ in range(3):
        read(gateway, code)
    assert len(gateway.rabbit.calls) == 1

    gateway.rabbit.deliver_event("case.stage_changed.v1", changed(uuid4()))
    read(gateway, code)
    assert len(gateway.rabbit.calls) == 1

    gateway.rabbit.deliver_event("case.stage_changed.v1", changed())
    read(gateway, code)
    assert len(gateway.rabbit.calls) == 2


def test_an_answer_overtaken_by_an_event_is_not_cached(gateway: Gateway, code: str) -> None:
    def overtaken(_: Any) -> PublicCase:
        gateway.rabbit.deliver_event("case.stage_changed.v1", changed())
        return case()

    gateway.rabbit.answers["tracking.view_by_code"] = overtaken
    read(gateway, code)
    read(gateway, code)
    assert len(gateway.rabbit.calls) == 2


def test_nothing_is_cached_while_events_may_be_missed(gateway: Gateway, code: str) -> None:
    read(gateway, code)
    gateway.container.case_cache.set_subscribed(False)
    read(gateway, code)
    read(gateway, code)
    assert len(gateway.rabbit.calls) == 3


def test_the_cache_is_limited_by_number_and_bytes() -> None:
    def put(cases: CaseCache, number: int, size: int) -> None:
        cases.put((str(number), Language.FA), case(case_id=UUID(int=number)), b"x" * size, time.monotonic())

    def kept(cases: CaseCache) -> list[int]:
        return [number for number in range(8) if cases.get((str(number), Language.FA))]

    by_number, by_size = CaseCache(3, 1_000, 60), CaseCache(100, 1_000, 60)
    for cases, size in ((by_number, 10), (by_size, 300)):
        cases.set_subscribed(True)
        for number in range(6):
            put(cases, number, size)
            put(cases, number, size)  # again: counted once
        assert kept(cases) == [3, 4, 5]
    put(by_size, 6, 2_000)  # larger than all that may be kept: not cached, and nothing is dropped for it
    assert kept(by_size) == [3, 4, 5]
    put(by_size, 7, 1_000)
    by_size.invalidate(UUID(int=7))
    put(by_size, 7, 1_000)
    assert kept(by_size) == [7]


def test_a_case_with_an_attachment_under_examination_is_not_cached(gateway: Gateway, code: str) -> None:
    media = "m" * 22
    gateway.rabbit.answers["media.list_file_names"] = lambda _: FileNames(names={})

    def looked_up() -> int:
        return [method for method, _ in gateway.rabbit.calls].count("tracking.view_by_code")

    looking = case(attachments=[SentAttachment(media_id=media, state=UploadState.PROCESSING)])
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: looking
    read(gateway, code)
    read(gateway, code)
    assert looked_up() == 2

    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: case(
        attachments=[SentAttachment(media_id=media, state=UploadState.ACCEPTED)]
    )
    read(gateway, code)
    read(gateway, code)
    assert looked_up() == 3
    gateway.rabbit.deliver_event("media.rejected.v1", json.dumps({"media_id": media}))
    read(gateway, code)
    assert looked_up() == 4
    gateway.rabbit.deliver_event(
        "media.erased.v1", json.dumps({"media": ["another", media]})
    )  # those of a case come together
    read(gateway, code)
    assert looked_up() == 5


def test_file_names_are_shown_to_their_sender(gateway: Gateway, code: str) -> None:
    photo, letter = "p" * 22, "l" * 22
    refused = SentAttachment(
        media_id=letter, state=UploadState.REJECTED, reason="encrypted", number=2, file_name="evidence-2"
    )
    sent = SentAttachment(media_id=photo, state=UploadState.ACCEPTED, number=1, file_name="evidence-1.jpg")
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: case(attachments=[sent, refused])
    gateway.rabbit.answers["media.list_file_names"] = lambda _: FileNames(names={letter: "نامه ندا.pdf"})

    seen = read(gateway, code).json()["attachments"]
    assert [attachment["file_name"] for attachment in seen] == ["evidence-1.jpg", "نامه ندا.pdf"]
    assert seen[0]["reason_text"] is None
    assert "گذرواژه" in seen[1]["reason_text"]
    names_request = next(request for name, request in gateway.rabbit.calls if name == "media.list_file_names")
    assert names_request == ListFileNames(case_id=case().case_id, media_ids=[photo, letter])


def test_without_media_a_case_is_still_shown_and_not_cached(gateway: Gateway, code: str) -> None:
    sent = SentAttachment(media_id="p" * 22, state=UploadState.ACCEPTED, number=1, file_name="evidence-1.jpg")
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: case(attachments=[sent])
    gateway.rabbit.answers["media.list_file_names"] = refusing(Unavailable(retry_after=1))

    assert read(gateway, code).json()["attachments"][0]["file_name"] == "evidence-1.jpg"
    gateway.rabbit.answers["media.list_file_names"] = lambda _: FileNames(names={"p" * 22: "من.jpg"})
    assert read(gateway, code).json()["attachments"][0]["file_name"] == "من.jpg"


def test_a_command_by_code_has_the_bearer_as_actor_and_clears_the_cache(gateway: Gateway, code: str) -> None:
    read(gateway, code)
    gateway.rabbit.answers["tracking.execute_citizen"] = lambda _: case(Stage.WITHDRAWN)
    headers = {"Tracking-Code": code, "Idempotency-Key": "once-and-only-once"}
    answer = gateway.send("POST", "/v1/tracking/withdrawal", json={"reason": "تمام شد"}, headers=headers)

    assert answer.json()["stage"] == "withdrawn"
    name, request = gateway.rabbit.calls[-1]
    assert isinstance(request, ExecuteCitizenCommand)
    hashes = tracking_codes.hashes(code, gateway.container.index_keys)
    assert (name, request.code_hashes, request.actor.id, request.idempotency_key) == (
        "tracking.execute_citizen",
        hashes,
        hashes[0],
        "once-and-only-once",
    )
    read(gateway, code)
    assert len(gateway.rabbit.calls) == 3


def test_a_command_on_a_case_being_registered_asks_to_retry(gateway: Gateway, code: str) -> None:
    gateway.rabbit.answers["tracking.execute_citizen"] = refusing(UnknownCase())
    answer = gateway.send("POST", "/v1/tracking/objection", json={"text": "نه"}, headers={"Tracking-Code": code})

    assert (answer.status_code, answer.json()["code"]) == (409, StillRegistering.code)


def test_refusals_of_tracking_are_passed_on(gateway: Gateway, code: str) -> None:
    gateway.rabbit.answers["tracking.execute_citizen"] = refusing(WrongStage(stage="closed", command="rate"))
    answer = gateway.send("POST", "/v1/tracking/rating", json={"score": 5}, headers={"Tracking-Code": code})

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_stage")
    assert answer.json()["params"] == {"stage": "closed", "command": "rate"}


@pytest.mark.parametrize("score", [0, 6, "5.5", None, 10**400])
def test_a_rating_out_of_range_is_refused(gateway: Gateway, code: str, score: Any) -> None:
    answer = gateway.send(
        "POST",
        "/v1/tracking/rating",
        content=json.dumps({"score": score}),
        headers={"Tracking-Code": code, "content-type": "application/json"},
    )
    assert answer.status_code == 422
    assert set(reasons(answer)) == {"score"}


def test_staff_commands_need_the_version_and_a_key(gateway: Gateway) -> None:
    headers = bearer(gateway.keys.staff("screener"))
    key = {"Idempotency-Key": "once-and-only-once"}
    path = f"/v1/cases/{CASE}/notes"

    without_key = gateway.send("POST", path, json={"text": "یادداشت"}, headers={**headers, "If-Match": '"3"'})
    assert (without_key.status_code, reasons(without_key)) == (422, {"Idempotency-Key": "missing"})
    without = gateway.send("POST", path, json={"text": "یادداشت"}, headers={**headers, **key})
    assert (without.status_code, without.json()["code"]) == (428, "version_needed")
    wrong = gateway.send("POST", path, json={"text": "یادداشت"}, headers={**headers, **key, "If-Match": '"three"'})
    assert (wrong.status_code, reasons(wrong)) == (422, {"If-Match": "int_parsing"})
    assert gateway.rabbit.calls == []


def test_an_unreachable_service_is_503(gateway: Gateway, code: str) -> None:
    gateway.rabbit.answers.clear()
    answer = read(gateway, code)

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        503,
        "status_unavailable",
        "5",
    )


def opened(code_hash: str) -> str:
    event = json.loads(changed(uuid4()))
    return json.dumps({**event, "state": {**event["state"], "code_hash": code_hash}})


def given(gateway: Gateway, key: str | None = None) -> str:
    """A code that this gateway has just given to a citizen."""
    body = {
        "kind": "information",
        "unit": "roads",
        "ground": "waste",
        "text": "آسفالت نو دوباره کنده شد.",
        "consent": True,
    }
    answer = gateway.file(body, **({"Idempotency-Key": key} if key else {}))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["tracking_code"]).replace(" ", "")


@pytest.fixture
def nobody_answers(gateway: Gateway) -> Gateway:
    """Tracking is stopped: its questions wait in the queue until their time is over."""
    gateway.container.recent_codes.set_subscribed(True)
    gateway.rabbit.answers["tracking.view_by_code"] = refusing(DeadlinePassed(retry_after=5))
    return gateway


def stage(answer: Any) -> Any:
    return answer.status_code, answer.json().get("stage") or answer.json()["code"]


REGISTERING, NOT_KNOWN = (200, "registering"), (503, "status_unavailable")


def test_without_tracking_a_recent_code_is_being_registered_and_others_are_not(nobody_answers: Gateway) -> None:
    just_given, older = given(nobody_answers), tracking_codes.mint(nobody_answers.container.mac_keys)
    assert stage(read(nobody_answers, just_given)) == REGISTERING

    answer = read(nobody_answers, older, **{"Accept-Language": "en"})
    assert (stage(answer), answer.headers["retry-after"]) == (NOT_KNOWN, "5")
    assert "What you filed is safe" in answer.json()["detail"]


def test_a_code_whose_case_was_announced_is_not_reported_as_registering(nobody_answers: Gateway) -> None:
    key = "a-key-of-the-phone"
    code = given(nobody_answers, key)
    [current, *_] = tracking_codes.hashes(code, nobody_answers.container.index_keys)
    nobody_answers.rabbit.deliver_event("case.opened.v1", opened(current))
    assert stage(read(nobody_answers, code)) == NOT_KNOWN

    assert given(nobody_answers, key) == code, "the phone asks again, and gets its code again"
    assert stage(read(nobody_answers, code)) == NOT_KNOWN


def test_a_code_whose_case_was_read_is_not_reported_as_registering(nobody_answers: Gateway) -> None:
    code = given(nobody_answers)
    away = nobody_answers.rabbit.answers["tracking.view_by_code"]
    nobody_answers.rabbit.answers["tracking.view_by_code"] = lambda _: case()
    assert stage(read(nobody_answers, code)) == (200, "screening")
    nobody_answers.container.case_cache.invalidate(CASE)

    nobody_answers.rabbit.answers["tracking.view_by_code"] = away
    assert stage(read(nobody_answers, code)) == NOT_KNOWN


def test_after_possibly_missed_events_no_code_is_reported_as_registering(nobody_answers: Gateway) -> None:
    code = given(nobody_answers)
    nobody_answers.container.recent_codes.set_subscribed(False)
    nobody_answers.container.recent_codes.set_subscribed(True)
    assert stage(read(nobody_answers, code)) == NOT_KNOWN


def test_the_number_of_remembered_codes_is_limited() -> None:
    recent_codes = RecentCodes(max_codes=3)
    recent_codes.set_subscribed(True)
    for code_hash in "abcd":
        recent_codes.add(code_hash)
    assert [code_hash for code_hash in "abcd" if recent_codes.is_registering([code_hash])] == ["b", "c", "d"]


def test_reading_a_code_has_a_shorter_timeout_than_a_command(gateway: Gateway, code: str) -> None:
    read(gateway, code)
    assert gateway.rabbit.patience == [gateway.settings.status_timeout]
    assert gateway.settings.status_timeout < 2


def test_a_whole_message_is_searched_and_each_number_in_it_counts_as_a_guess(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, **UNLIMITED | {"limit_bad_codes": "9/hour"})
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: case()
    code = tracking_codes.mint(gateway.container.mac_keys)
    message = f"کد رهگیری شکایت شما:\n{tracking_codes.grouped(code)}\nتلفن ۰۲۸۳۳۲۲۱۱۰۰"

    def ask(typed: str) -> int:
        return gateway.send("POST", "/v1/tracking", json={"tracking_code": typed}).status_code

    assert ask(message) == 200
    # One number in a thousand is a code of ours, whatever the keys.
    texts = ("، کد ".join(f"{number:016d}" for number in range(start, start + 4)) for start in count())
    wrong = next(text for text in texts if tracking_codes.parse(text, gateway.container.mac_keys) is None)
    assert [ask(wrong) for _ in range(3)] == [404, 404, 429]
