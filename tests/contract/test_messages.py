"""Events and commands: old payloads stay readable, the document in docs/events is true, every message has a taker."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from backbone.messaging import asyncapi
from backbone.messaging.consumers import DurableHandler
from backbone.messaging.topology import SERVICES, SUBSCRIPTIONS
from contracts import registry

PAYLOADS = Path(__file__).parent / "payloads"
MESSAGES = registry.messages()


def fixtures() -> list[Path]:
    return sorted(PAYLOADS.glob("*/*.json"))


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_message_has_its_first_payload(name: str) -> None:
    assert list((PAYLOADS / name).glob("*.json")), "add one as it is published today; it stays for good"


@pytest.mark.parametrize("path", fixtures(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_old_payloads_are_read_correctly(path: Path) -> None:
    old = json.loads(path.read_text(encoding="utf-8"))
    read = MESSAGES[path.parent.name].model_validate(old).model_dump(mode="json")
    assert _within(old, read), "a field that was once published is read differently now: that is a new version"


@pytest.mark.parametrize("path", fixtures(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_unknown_field_is_ignored(path: Path) -> None:
    old = json.loads(path.read_text(encoding="utf-8"))
    MESSAGES[path.parent.name].model_validate(old | {"a_field_of_the_future": {"deep": [1]}})


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_message_has_a_consumer(name: str) -> None:
    assert asyncapi.consumers_of(MESSAGES[name])


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_message_has_a_docstring(name: str) -> None:
    doc = MESSAGES[name].__dict__.get("__doc__")
    assert doc
    assert len(doc) > 20


@pytest.mark.parametrize("file_name", ["asyncapi.json", "README.md"])
def test_the_document_matches_the_contracts(file_name: str) -> None:
    assert (asyncapi.DOCS / file_name).read_text(encoding="utf-8") == asyncapi.files()[file_name], (
        "run: python -m backbone.messaging.asyncapi"
    )


def handlers_of(service: str) -> dict[str, str]:
    cls = importlib.import_module(f"services.{service}.service").Service
    handlers: dict[str, str] = {}
    for name in dir(cls):
        for entrypoint in getattr(getattr(cls, name), "nameko_entrypoints", ()):
            if isinstance(entrypoint, DurableHandler):
                assert entrypoint.queue not in handlers, f"two methods of {service} take {entrypoint.queue}"
                handlers[entrypoint.queue] = name
    return handlers


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_handles_exactly_its_own_queues(service: str) -> None:
    assert set(handlers_of(service)) == {queue for queue in SUBSCRIPTIONS if queue.startswith(f"{service}.")}


def _within(old: Any, new: Any) -> bool:
    """Whether everything in `old` is in `new`, lists in order; times may be written differently (Z, +00:00)."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and _within(value, new[key]) for key, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(_within, old, new))
    return old == new or (isinstance(old, str) and old.replace("+00:00", "Z") == str(new).replace("+00:00", "Z"))
