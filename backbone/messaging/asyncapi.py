"""The AsyncAPI 3.0 document of everything that travels through queues: `python -m backbone.messaging.asyncapi [FOLDER]`.

Made from the contracts and the topology; tests/contract holds docs/events to it.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

from backbone.messaging.topology import COMMANDS, SUBSCRIPTIONS, events_of
from contracts import registry
from contracts.base import Command, Event

DOCS = Path(__file__).parents[2] / "docs" / "events"


def exchange_of(message: type[Event] | type[Command]) -> str:
    """Where a message is published."""
    return events_of(message.producer) if issubclass(message, Event) else COMMANDS


def consumers_of(message: type[Event] | type[Command]) -> list[str]:
    """The queues that receive a message, by the topology's bindings."""
    exchange = exchange_of(message)
    return [
        queue
        for queue, bindings in SUBSCRIPTIONS.items()
        if any(binding.exchange == exchange and _matches(binding.key, message.name) for binding in bindings)
    ]


def _matches(pattern: str, name: str) -> bool:
    """As a topic exchange reads it, for the patterns we use."""
    return pattern == name or (pattern.endswith("#") and f"{name}.".startswith(pattern[:-1]))


def document() -> dict[str, Any]:
    """The whole document as plain JSON."""
    schemas: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for name, cls in sorted(registry.messages().items()):
        schema = cls.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[cls.__name__] = schema
        messages[name] = {
            "name": name,
            "title": cls.__name__,
            "summary": inspect.cleandoc(cls.__doc__ or "").split("\n\n")[0],
            "contentType": "application/json",
            "payload": {"$ref": f"#/components/schemas/{cls.__name__}"},
        }
        exchange = exchange_of(cls)
        channel = channels.setdefault(
            exchange,
            {
                "address": exchange,
                "messages": {},
                "bindings": {
                    "amqp": {"is": "routingKey", "exchange": {"name": exchange, "type": "topic", "durable": True}}
                },
            },
        )
        channel["messages"][name] = {"$ref": f"#/components/messages/{name}"}
        sender = exchange.split(".")[0]
        operations[f"{sender} sends {name}"] = _operation("send", exchange, name)
        for queue in consumers_of(cls):
            operations[f"{queue} receives {name}"] = _operation("receive", exchange, name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Peygir's events and commands",
            "version": "1",
            "description": "Delivered at least once, in any order; `id` (or the submission's id) makes an effect happen once.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _operation(action: str, exchange: str, name: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{exchange}"},
        "messages": [{"$ref": f"#/channels/{exchange}/messages/{name}"}],
    }


def page() -> str:
    """The same for people: one table."""
    lines = [
        "# Events and commands",
        "",
        "Made by `python -m backbone.messaging.asyncapi` from `contracts/` and `backbone/messaging/topology.py`; do not edit.",
        "The machine-readable form is [asyncapi.json](asyncapi.json) (AsyncAPI 3.0). Everything is delivered at least",
        "once and in any order: consumers record each event's id in the transaction of its effect (the inbox), and events of",
        "a case carry its sequence number. RPC requests and answers are in `contracts/` beside their service.",
        "",
        "| message | published to | consumed by | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, cls in sorted(registry.messages().items()):
        summary = " ".join(inspect.cleandoc(cls.__doc__ or "").split("\n\n")[0].split()) if cls.__doc__ else ""
        consumers = ", ".join(f"`{queue}`" for queue in consumers_of(cls))
        lines.append(f"| `{name}` | `{exchange_of(cls)}` | {consumers} | {summary.replace('|', '/')} |")
    return "\n".join(lines) + "\n"


def files() -> dict[str, str]:
    """File name → content, as docs/events must hold them."""
    return {
        "asyncapi.json": json.dumps(document(), ensure_ascii=False, indent=1) + "\n",
        "README.md": page(),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, content in files().items():
        (folder / file_name).write_text(content, encoding="utf-8")
