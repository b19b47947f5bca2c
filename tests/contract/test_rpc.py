"""RPC: each request contract names its method and answer in its docstring; the services do just that."""

from __future__ import annotations

import importlib
import re
from typing import Any, get_type_hints

import pytest

from backbone.messaging.json_answer import JsonAnswer
from backbone.messaging.rpc import Rpc
from backbone.messaging.topology import SERVICES
from contracts.base import Answer, Request

MODULES = (
    "accounts",
    "audit",
    "bulk",
    "calendars",
    "call_backs",
    "colleagues",
    "desk",
    "exports",
    "identities",
    "insight",
    "intake",
    "letters",
    "macros",
    "media",
    "notification_log",
    "notify",
    "operations",
    "preferences",
    "push",
    "promises",
    "referrals",
    "rule_previews",
    "screening",
    "searches",
    "leaves",
    "own_account",
    "staff_changes",
    "tracking",
    "visits",
    "webhooks",
)
_PROMISE = re.compile(r"RPC\s(\w+)\.(\w+)\s→\s+(\w+)")


def promises() -> dict[tuple[str, str], tuple[type[Request], type[Answer]]]:
    methods: dict[tuple[str, str], tuple[type[Request], type[Answer]]] = {}
    for name in MODULES:
        module = importlib.import_module(f"contracts.{name}")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, Request)
                and f"{value.__module__}.".startswith(f"{module.__name__}.")
            ):
                made = _PROMISE.findall(value.__doc__ or "")
                assert made, f"{value.__name__} does not say which RPC it is for"
                for service, method, answer in made:
                    methods[service, method] = (value, getattr(module, answer))
    return methods


def methods_of(service: str) -> dict[str, Any]:
    cls = importlib.import_module(f"services.{service}.service").Service
    return {
        name: getattr(cls, name)
        for name in dir(cls)
        if any(isinstance(e, Rpc) for e in getattr(getattr(cls, name), "nameko_entrypoints", ()))
    }


@pytest.mark.parametrize(("service", "method"), sorted(promises()))
def test_a_declared_method_exists_with_its_types(service: str, method: str) -> None:
    request, answer = promises()[service, method]
    hints = get_type_hints(methods_of(service)[method])
    assert hints["request"] is request
    assert hints["return"] in (answer, JsonAnswer[answer])  # type: ignore[valid-type]  # made of a value, for comparing


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_has_an_undeclared_method(service: str) -> None:
    assert set(methods_of(service)) == {method for name, method in promises() if name == service}
