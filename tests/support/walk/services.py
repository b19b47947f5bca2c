"""The services' entrypoints without a broker: each method of each `Service` class, called on real databases."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, get_type_hints

from sqlalchemy import Connection, create_engine

from backbone.messaging.json_answer import JsonAnswer
from backbone.process.dependencies import UseCases
from backbone.storage.audit import Readings
from contracts.base import Request

SERVICES = ("tracking", "insight", "notify", "intake", "accounts")
"""Those that a walk calls; media knows no person, only unguessable ids (tracking says whose they are)."""


def rpcs(service: str) -> dict[str, type[Request]]:
    """What can be asked of a service, found by its entrypoints: method → the request it takes."""
    cls = importlib.import_module(f"services.{service}.service").Service
    requests = {}
    for name in dir(cls):
        points = getattr(getattr(cls, name), "nameko_entrypoints", ())
        if any(type(point).__name__ == "Rpc" for point in points):
            requests[name] = get_type_hints(getattr(cls, name))["request"]
    return requests


class Trial:
    """A database whose every transaction is undone at its end: what is asked leaves no trace."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, connect_args={"options": "-c timezone=UTC -c jit=off"}, pool_size=1)
        self._connection: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        if self._connection is None:
            self._connection = self._engine.connect()
        transaction = self._connection.begin()
        try:
            yield self._connection
        finally:
            transaction.rollback()

    read = statements = transaction


class Services:
    """All services at hand. `urls`, `keys`: the environment of each; `database`: what their `self.db` is."""

    def __init__(
        self, urls: Mapping[str, str], keys: Mapping[str, str], database: Callable[[str], Any] = Trial
    ) -> None:
        self.made = {name: self._make(name, urls[name], keys, database) for name in urls}

    def ask(self, service: str, method: str, request: Request) -> Any:
        """What the entrypoint answers or raises."""
        made = self.made[service]
        answer = getattr(made.cls, method)(made, request)
        return answer.read() if isinstance(answer, JsonAnswer) else answer

    @staticmethod
    def _make(service: str, url: str, keys: Mapping[str, str], database: Callable[[str], Any]) -> SimpleNamespace:
        cls = importlib.import_module(f"services.{service}.service").Service
        settings = None
        if service != "insight":
            needed = importlib.import_module(f"services.{service}.settings").Settings
            given = {
                **{name.lower(): value for name, value in keys.items()},
                "amqp_url": "amqp://nobody",
                "database_url": url,
                "sms_providers": [],
            }
            settings = needed(**{name: value for name, value in given.items() if name in needed.model_fields})
        made = {
            name: provider._factory(settings) for name, provider in vars(cls).items() if isinstance(provider, UseCases)
        }
        instance = SimpleNamespace(cls=cls, db=database(url), settings=settings, **made)
        if hasattr(cls, "command"):
            instance.command = partial(cls.command, instance)
            instance.readings = Readings()
        if hasattr(cls, "_sending"):
            instance._sending = lambda session: session  # there is no sender to be woken
        return instance
