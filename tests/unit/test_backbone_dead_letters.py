"""The dead letters as their operator reads them: where from, why, since when, how often tried."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pika
import pytest

from backbone.messaging import dead_letters
from backbone.messaging.dead_letters import DeadLetter

DIED = datetime(2026, 11, 24, 8, 30, 5, tzinfo=UTC)
BY_US = {
    "peygir-error": "UnknownUnit: There is no unit with this code.",
    "peygir-queue": "tracking.registrations",
    "peygir-failures": 8,
    "peygir-died": DIED.isoformat(),
}
BY_THE_BROKER = {
    # pika reads AMQP timestamps without a zone; they are UTC.
    "x-death": [
        {"queue": "tracking.media", "reason": "delivery_limit", "count": 1, "time": DIED.replace(tzinfo=None)},
        {"queue": "delay.1s", "reason": "expired", "count": 1, "time": datetime(2026, 11, 24, 8, 0, 0)},
    ],
    "x-delivery-count": 51,
}


def letter(headers: dict[str, Any] | None, name: str | None = "submission.registered.v1") -> DeadLetter:
    return DeadLetter(7, 70, pika.BasicProperties(headers=headers, type=name), b"{}")


def line(headers: dict[str, Any] | None) -> str:
    return dead_letters._line(letter(headers))


def test_a_dead_letter_of_ours_has_its_queue_and_reason() -> None:
    assert line(BY_US) == (
        "   7  2026-11-24 08:30:05Z  tracking.registrations  submission.registered.v1, 8 failures: "
        "UnknownUnit: There is no unit with this code."
    )


def test_a_dead_letter_by_delivery_limit_is_marked_so() -> None:
    assert line(BY_THE_BROKER) == (
        "   7  2026-11-24 08:30:05Z  tracking.media  submission.registered.v1: the broker gave it up: delivery_limit"
    )


def test_our_own_reason_outweighs_that_of_the_broker() -> None:
    both = letter(BY_THE_BROKER | BY_US)
    assert both.queue == "tracking.registrations"
    assert both.reason == BY_US["peygir-error"]


@pytest.mark.parametrize(
    "headers", [None, {}, {"x-death": []}, {"peygir-died": "yesterday"}, {"peygir-failures": "many"}, {"x-death": [{}]}]
)
def test_a_dead_letter_of_unknown_origin_is_listed_too(headers: dict[str, Any] | None) -> None:
    assert line(headers) == "   7  ?  submission.registered.v1: the broker gave it up: unknown"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["list", "1"],
        ["show"],
        ["show", "all"],
        ["replay"],
        ["drop"],
        ["replay", "1", "all"],
        ["drop", "-1"],
        ["drop", "one"],
        ["replay", "1,2"],
    ],
)
def test_a_wrong_call_prints_the_usage_and_changes_nothing(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMQP_URL", "amqp://nobody.invalid")
    output: list[str] = []
    assert dead_letters.main(arguments, output.append) == 2
    assert "replay N… | all" in output[0]


def test_a_missing_broker_setting_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMQP_URL", raising=False)
    output: list[str] = []
    assert dead_letters.main(["list"], output.append) == 2
    assert output == ["AMQP_URL is not set"]
