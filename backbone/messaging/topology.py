"""Every exchange and queue, in one place.

    <service>.events   topic, what a service has decided; routing key = the event's name, with the ending
                       `.without_uploads` where the event could name uploads and names none
    gateway.commands   topic, what the gateway asks for without waiting
    gateway.live       fanout, what gateways tell each other at the moment and nobody stores
    retry              direct, back to one queue by its name (delays, dead-letter replay)
    delay.<n>          fanout, each with one queue whose messages expire into `retry`
    dead-letters       fanout, one queue: what could not be handled, with the reason in its headers
    nameko-rpc         topic, questions by `<service>.<method>` to the classic queue `rpc-<service>`, which its service declares
                       whenever it consumes it, and answers to the queues of whoever asked

All queues are quorum queues that dead-letter at least once: the default may lose what it dead-letters in a crash
(reference: RabbitMQ "quorum queues, at-least-once dead-lettering", needs overflow reject-publish). The delivery limit
also counts the deliveries that a killed consumer cut off, so it is high; failures are counted in a header of ours.
`python -m backbone.messaging.topology` declares everything; each process looks again whenever it (re)connects, and
declares what a broker without its data has lost. Looking needs no permission, so a process's user may be forbidden to declare.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from amqp.exceptions import NotFound
from kombu import Connection, Exchange, Queue

SERVICES = ("intake", "media", "tracking", "notify", "accounts", "insight")
COMMANDS = "gateway.commands"
LIVE = "gateway.live"
RPC = "nameko-rpc"
RETRY = "retry"
DEAD_LETTERS = "dead-letters"
DELIVERY_LIMIT = 50
WRITTEN_AFTER = 4.0
"""Seconds after which a new quorum queue survives a kill -9 of its node: its name is written to disk up to 3 s late (seen on
3.10.8: killed earlier, the node comes back with a queue that never gets a leader, and with it what was confirmed)."""
DELAYS: dict[str, int] = {"delay.1s": 1_000, "delay.10s": 10_000, "delay.1m": 60_000, "delay.10m": 600_000}
"""Exchange and queue name → milliseconds."""


BINDINGS = "bindings.5"
"""An exchange that nobody uses, declared when all else is; its number grows with a release that brings a binding, which cannot
be looked at. So a process of that release publishes nothing before its bindings are there."""


def events_of(service: str) -> str:
    """The exchange a service's events go to."""
    return f"{service}.events"


def rpc_queue(service: str) -> str:
    """The queue of the questions to a service."""
    return f"rpc-{service}"


@dataclass(frozen=True)
class Binding:
    exchange: str
    key: str


def _on(service: str, *keys: str) -> tuple[Binding, ...]:
    return tuple(Binding(events_of(service), key) for key in keys)


SUBSCRIPTIONS: dict[str, tuple[Binding, ...]] = {
    "intake.submissions": (Binding(COMMANDS, "file_submission.v1"),),
    "intake.retention": _on("tracking", "case.retention_due.v1"),
    "media.process": _on("media", "media.uploaded.v1"),
    # Only those that name uploads: the exact keys do not fit the others.
    "media.claims": (
        *_on("intake", "submission.registered.v1"),
        *_on("tracking", "case.citizen_answered.v1", "case.unit_answered.v1", "case.evidence_added.v1"),
    ),
    "media.retention": _on("tracking", "case.retention_due.v1"),
    "tracking.registrations": _on("intake", "submission.registered.v1.#"),
    "tracking.recoded": _on("intake", "submission.recoded.v1", "submission.claimed.v1"),
    "tracking.catalogue": _on("intake", "catalogue.changed.v1"),
    "tracking.media": _on(
        "media", "media.accepted.v1", "media.rejected.v1", "media.delayed.v1", "media.claim_refused.v1"
    ),
    "tracking.staff": _on("accounts", "staff.changed.v1", "leave.changed.v1", "citizen.account_deleted.v1"),
    "tracking.replies": _on("notify", "citizen.replied.v1"),
    "notify.contacts": _on(
        "intake",
        "submission.registered.v1.#",
        "submission.recoded.v1",
        "submission.claimed.v1",
        "submission.disowned.v1",
    ),
    "notify.cases": _on("tracking", "case.#", "visit.#"),
    "notify.identities": _on("tracking", "identity.#"),
    "notify.retention": _on("tracking", "case.retention_due.v1"),
    "notify.otp": _on("accounts", "otp.requested.v1"),
    "notify.staff_changes": _on("accounts", "staff_change.#"),
    "notify.sign_ins": _on("accounts", "sign_in.failures.v1"),
    "notify.account_security": _on("accounts", "account.security_changed.v1"),
    "notify.staff": _on("accounts", "staff.changed.v1", "leave.changed.v1", "citizen.account_deleted.v1"),
    "notify.catalogue": _on("intake", "catalogue.changed.v1"),
    "notify.inbound": (Binding(COMMANDS, "receive_sms_push.v1"),),
    # Takes every event, so that a mandatory publication always has a taker.
    "insight.events": tuple(Binding(events_of(service), "#") for service in SERVICES),
}
"""Queue → what it is bound to. A queue belongs to the service before its first dot."""


def queues_of(service: str) -> list[str]:
    """The queues a service consumes."""
    return [name for name in SUBSCRIPTIONS if name.split(".")[0] == service]


def entities() -> Iterable[Exchange | Queue]:
    """Everything, exchanges first, in an order that can be declared from top to bottom."""
    topics = {name: Exchange(name, type="topic", durable=True) for name in (*map(events_of, SERVICES), COMMANDS)}
    retry = Exchange(RETRY, type="direct", durable=True)
    dead = Exchange(DEAD_LETTERS, type="fanout", durable=True)
    live = Exchange(LIVE, type="fanout", durable=True)
    yield from (*topics.values(), live, retry, dead)
    # Looking at a dead letter counts as a delivery, and RabbitMQ 4 drops after 20 unless told otherwise.
    yield Queue(DEAD_LETTERS, dead, queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": 1_000_000})
    for name, milliseconds in DELAYS.items():
        delay = Exchange(name, type="fanout", durable=True)
        yield delay
        yield Queue(name, delay, queue_arguments=_arguments(RETRY) | {"x-message-ttl": milliseconds})
    for name, bindings in SUBSCRIPTIONS.items():
        arguments = _arguments(DEAD_LETTERS) | {"x-delivery-limit": DELIVERY_LIMIT}
        yield Queue(name, retry, routing_key=name, queue_arguments=arguments)
        for binding in bindings:
            yield Queue(name, topics[binding.exchange], routing_key=binding.key, queue_arguments=arguments)
    yield Exchange(BINDINGS, type="fanout", durable=True)


def declare(amqp_url: str, timeout: float = 10.0) -> None:
    """Declares everything; harmless when it exists. Raises what kombu raises when the broker cannot be reached."""
    with _connected(amqp_url, timeout) as connection:
        channel = connection.default_channel
        for entity in entities():
            entity(channel).declare()


def ensure(amqp_url: str, timeout: float = 10.0) -> bool:
    """Declares everything if anything is missing, and tells whether something was. Raises what kombu raises when the broker
    cannot be reached, or forbids."""
    with _connected(amqp_url, timeout) as connection:
        channel = connection.default_channel
        try:
            for entity in entities():
                if isinstance(entity, Queue):
                    entity(channel).queue_declare(passive=True)
                else:
                    entity(channel).declare(passive=True)
        except NotFound:
            declare(amqp_url, timeout)
            return True
    return False


def close_silently(connection: Connection) -> None:
    """Ends a connection without the closing handshake, which would wait for ever for a broker that does not answer."""
    if connection.connected:
        connection.connection.collect()


@contextmanager
def _connected(amqp_url: str, timeout: float) -> Iterator[Connection]:
    # Reading and writing are bounded by the kernel; under eventlet they are not, so there the caller sets a limit.
    bounds = {"read_timeout": timeout, "write_timeout": timeout}
    connection = Connection(amqp_url, connect_timeout=timeout, transport_options=bounds)
    try:
        yield connection
    except BaseException:
        close_silently(connection)
        raise
    connection.release()


def _arguments(dead_letter_exchange: str) -> dict[str, str | int]:
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": dead_letter_exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


if __name__ == "__main__":
    if "AMQP_URL" not in os.environ:
        sys.exit("AMQP_URL is not set")
    if ensure(os.environ["AMQP_URL"]):
        time.sleep(WRITTEN_AFTER)
    declare(os.environ["AMQP_URL"])  # a binding that is new in this release is missed by a look at the queues
    print(f"topology: {len(SUBSCRIPTIONS)} queues declared")
