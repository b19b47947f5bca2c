"""One RabbitMQ user for each process, with only the permissions it needs.

Run as `python -m deploy.rabbitmq.users` at every `up`, through the management API: passwords become those of .env,
permissions what this file says. What a user may touch follows from backbone.messaging.topology:

    a service   consumes its own queues and its RPC queue; publishes its own events and RPC answers, and moves messages
                it cannot handle to the delays and dead letters
    accounts    besides reads dead letters and gives them back to their queues
    gateway     publishes commands and RPC requests; listens to every service's events, to what other gateways say, and to
                answers on its own queues
    admin       sets up, replays dead letters (the only one that may declare the topology)

Environment: RABBITMQ_MANAGEMENT_URL, RABBITMQ_ADMIN_USER, RABBITMQ_ADMIN_PASSWORD; NAME_AMQP_PASSWORD for each user.
"""

import os
import re
import sys
from dataclasses import asdict, dataclass

import httpx

from backbone.messaging.topology import (
    COMMANDS,
    DEAD_LETTERS,
    DELAYS,
    LIVE,
    RETRY,
    RPC,
    SERVICES,
    events_of,
    queues_of,
    rpc_queue,
)

VHOST = "peygir"

_GENERATED = r"amq\.gen.*"
"""Queues that the broker named for a connection that asked for one of its own."""


@dataclass(frozen=True)
class Permissions:
    """Regular expressions of the names a user may declare, publish or bind to, and consume or bind from."""

    configure: str
    write: str
    read: str


def permissions(user: str) -> Permissions:
    """What `user` (a service, or "gateway") may do in the virtual host."""
    if user == "gateway":
        return Permissions(
            configure=_only(_GENERATED, *_names(RPC)),
            write=_only(_GENERATED, *_names(COMMANDS, LIVE, RPC)),
            read=_only(_GENERATED, *_names(LIVE, RPC, *map(events_of, SERVICES))),
        )
    questions = rpc_queue(user)
    # Administrators look at dead letters, and have them replayed, by accounts.
    dead, replays = ((DEAD_LETTERS,), (RETRY,)) if user == "accounts" else ((), ())
    return Permissions(
        configure=_only(*_names(RPC, questions)),
        write=_only(*_names(RPC, questions, events_of(user), DEAD_LETTERS, *DELAYS, *replays)),
        read=_only(*_names(RPC, questions, *queues_of(user), *dead)),
    )


def _names(*names: str) -> list[str]:
    return [re.escape(name) for name in names]


def _only(*patterns: str) -> str:
    return f"^({'|'.join(patterns)})$"


def ensure(management: httpx.Client, user: str, password: str) -> None:
    """Make `user` with this password and its permissions; again = no change. Raises httpx.HTTPError."""
    management.put(f"users/{user}", json={"password": password, "tags": ""}).raise_for_status()
    management.put(f"permissions/{VHOST}/{user}", json=asdict(permissions(user))).raise_for_status()


def main() -> None:
    """Make all users, or say in one sentence why not."""
    administrator = (os.environ["RABBITMQ_ADMIN_USER"], os.environ["RABBITMQ_ADMIN_PASSWORD"])
    users = (*SERVICES, "gateway")
    with httpx.Client(
        base_url=f"{os.environ['RABBITMQ_MANAGEMENT_URL']}/api/", auth=administrator, timeout=10
    ) as management:
        try:
            for user in users:
                ensure(management, user, os.environ[f"{user.upper()}_AMQP_PASSWORD"])
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 401:
                raise
            sys.exit(
                "RabbitMQ refuses the administrator: its volume was made with another .env; the two belong together."
            )
    print(f"rabbitmq: users {', '.join(users)} are in place")


if __name__ == "__main__":
    main()
