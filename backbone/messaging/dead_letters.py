"""`peygir dead-letters list|show|replay|drop`: what could not be handled, why, and back into its queue.

    list                     one line each: number, when, queue, message, failures, reason
    show N                   headers and body of one
    replay N… | all          back to the queue it fell from (its effect happens once: the inbox knows it for 30 days)
    drop N… | all            for ever

Numbers are positions in the queue at the moment of the call; each call looks anew. Bodies may hold what a citizen
wrote: `show` is for the operator of the deployment.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import UnroutableError

from backbone.messaging import amqp, inbox
from backbone.messaging.topology import DEAD_LETTERS, RETRY
from contracts.base import now

_OURS = {amqp.FAILURES, amqp.ERROR, amqp.QUEUE, amqp.DIED, "peygir-waits"}


@dataclass(frozen=True)
class DeadLetter:
    """One message among the dead. `queue`: where it fell from; `reason`: what our handler said, or the broker."""

    number: int
    tag: int
    properties: Any
    body: bytes

    @property
    def headers(self) -> dict[str, Any]:
        return dict(self.properties.headers or {})

    @property
    def queue(self) -> str:
        own = self.headers.get(amqp.QUEUE)
        if own:
            return str(own)
        deaths = self.headers.get("x-death") or [{}]
        return str(deaths[0].get("queue", "?"))

    @property
    def reason(self) -> str:
        own = self.headers.get(amqp.ERROR)
        if own:
            return str(own)
        deaths = self.headers.get("x-death") or [{}]
        return f"the broker gave it up: {deaths[0].get('reason', 'unknown')}"

    @property
    def failures(self) -> int:
        counted = self.headers.get(amqp.FAILURES)
        return counted if isinstance(counted, int) else 0

    @property
    def died_at(self) -> datetime | None:
        with suppress(KeyError, ValueError, TypeError):
            return datetime.fromisoformat(self.headers[amqp.DIED])
        deaths = self.headers.get("x-death")
        return deaths[0]["time"].replace(tzinfo=UTC) if deaths and "time" in deaths[0] else None


def listed(channel: BlockingChannel) -> list[DeadLetter]:
    """All that are there now, held by this channel until it closes (then they are back in their order)."""
    letters: list[DeadLetter] = []
    while True:
        method, properties, body = channel.basic_get(DEAD_LETTERS)
        if method is None:
            return letters
        letters.append(DeadLetter(len(letters) + 1, method.delivery_tag, properties, body))


def replay(channel: BlockingChannel, letter: DeadLetter) -> bool:
    """Back into its queue, confirmed, then taken from the dead. False when that queue is no more."""
    kept = {name: value for name, value in letter.headers.items() if not name.startswith("x-") and name not in _OURS}
    properties, queue = letter.properties, letter.queue  # the queue is read from the headers that go
    properties.headers = kept
    try:
        channel.basic_publish(RETRY, queue, letter.body, properties, mandatory=True)
    except UnroutableError:
        return False
    channel.basic_ack(letter.tag)
    return True


@contextmanager
def opened(url: str) -> Iterator[BlockingChannel]:
    """A channel in confirm mode; closing it gives back what was only looked at."""
    connection = pika.BlockingConnection(amqp.parameters(url, "dead-letters"))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel
    finally:
        connection.close()


def main(arguments: list[str], report: Callable[[str], None] = print) -> int:
    """The exit code: 0 done, 1 something could not be done, 2 wrong call."""
    verb, numbers = (arguments[0] if arguments else "", arguments[1:])
    wants_numbers = verb in {"show", "replay", "drop"}
    well_formed = all(number.isdigit() for number in numbers) or (numbers == ["all"] and verb != "show")
    if verb not in {"list", "show", "replay", "drop"} or wants_numbers != bool(numbers) or not well_formed:
        report(__doc__ or "")
        return 2
    if "AMQP_URL" not in os.environ:
        report("AMQP_URL is not set")
        return 2
    with opened(os.environ["AMQP_URL"]) as channel:
        letters = listed(channel)
        if verb == "list":
            for letter in letters:
                report(_line(letter))
            report(f"{len(letters)} dead letter{'' if len(letters) == 1 else 's'}")
            return 0
        chosen = letters if numbers == ["all"] else [letter for letter in letters if str(letter.number) in numbers]
        missing = set() if numbers == ["all"] else set(numbers) - {str(letter.number) for letter in letters}
        code = 0
        for number in sorted(missing):
            report(f"there is no dead letter {number}")
            code = 1
        for letter in chosen:
            code = max(code, _do(verb, channel, letter, report))
        return code


def _do(verb: str, channel: BlockingChannel, letter: DeadLetter, report: Callable[[str], None]) -> int:
    if verb == "show":
        report(_line(letter))
        report(json.dumps(letter.headers, ensure_ascii=False, indent=2, default=str))
        report(letter.body.decode("utf-8", "backslashreplace"))
    elif verb == "drop":
        channel.basic_ack(letter.tag)
        report(f"dropped {letter.number} ({letter.properties.type})")
    else:
        queue = letter.queue
        if letter.died_at is not None and letter.died_at < now() - inbox.KEPT:
            report(
                f"{letter.number}: died more than {inbox.KEPT.days} days ago; the inbox has forgotten whether its effect "
                "happened already, and it may happen again"
            )
        if not replay(channel, letter):
            report(f"{letter.number}: there is no queue {queue} to replay it to; it stays here")
            return 1
        report(f"replayed {letter.number} ({letter.properties.type}) to {queue}")
    return 0


def _line(letter: DeadLetter) -> str:
    at = f"{letter.died_at:%Y-%m-%d %H:%M:%S}Z  " if letter.died_at else ""
    failures = f", {letter.failures} failures" if letter.failures else ""
    return f"{letter.number:>4}  {at}{letter.queue}  {letter.properties.type}{failures}: {letter.reason}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
