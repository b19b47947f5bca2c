"""Who may send each operation, as far as the gateway itself decides it: for the reference in docs/."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute

from contracts.vocabulary import Role
from gateway.api.dependencies import AdministratorDep, BearerDep, CitizenDep, SignedInDep, StaffDep

_SENDERS: dict[Any, str] = {
    AdministratorDep: Role.ADMINISTRATOR,
    StaffDep: "staff",
    CitizenDep: "citizen",
    SignedInDep: "signed in",
    BearerDep: "holder of the code",
}


@dataclass(frozen=True)
class SentOperation:
    """One operation. `sender`: roles of staff, or who it is; anyone where nobody need sign in. `command`: of staff on a case."""

    operation_id: str
    method: str
    path: str
    sender: str
    summary: str
    command: str | None = None


def operations(routers: Iterable[APIRouter], prefix: str) -> Iterator[SentOperation]:
    """Those of these routers, in their order."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                about = (min(route.methods or ()), prefix + route.path, _sender_of(route), route.summary or "")
                forms = getattr(route.endpoint, "command_form", ())
                command = next((form.command for audience, form in forms if audience == "staff"), None)
                yield SentOperation(str(route.operation_id), *about, command)


def _sender_of(route: APIRoute) -> str:
    roles: frozenset[Role] = getattr(route.endpoint, "roles", frozenset())
    if roles:
        return ", ".join(role for role in Role if role in roles)
    annotations = inspect.signature(route.endpoint, eval_str=True).parameters.values()
    return next((_SENDERS[one.annotation] for one in annotations if one.annotation in _SENDERS), "anyone")
