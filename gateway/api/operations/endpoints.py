"""How the installation runs, for administrators: services, queues, dead letters (docs/runbook.md)."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Response

from backbone.messaging.topology import SERVICES
from contracts import operations
from contracts.base import Answer
from contracts.errors import PeygirError
from gateway.api.dependencies import AdministratorDep, ContainerDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.operations.bodies import DropBody
from gateway.api.request_endpoints import (
    ADMINISTRATOR,
    Field,
    RequestEndpoint,
    Rpc,
    Success,
    register_requests,
)
from gateway.container import AppContainer

router = APIRouter(prefix="/operations", tags=["operations"])

_PATIENCE = 2.0
"""Seconds for which a service is waited for that answers no call."""
_LETTER = {"letter_id": Field(Annotated[operations.LetterId, Path(description="The dead letter's id; see the list.")])}


class NamedServiceStatus(Answer):
    """`status` None: the service does not answer. `migrated`: its database is at the newest migration that the process knows, or
    beyond."""

    name: str
    status: operations.ServiceStatus | None
    migrated: bool | None


class OperationsStatus(Answer):
    """`queues` None: the broker, or accounts, does not answer. `gateway_version`: the release of this gateway; `ready`: whether
    it takes submissions."""

    gateway_version: str
    ready: bool
    services: list[NamedServiceStatus]
    queues: list[operations.QueueStatus] | None


async def _status(container: AppContainer, name: str) -> NamedServiceStatus:
    try:
        status = await container.rabbit.call(
            name, "read_status", operations.ReadStatus(), operations.ServiceStatus, _PATIENCE
        )
    except PeygirError:
        return NamedServiceStatus(name=name, status=None, migrated=None)
    migrated = status.revision is not None and status.revision >= (status.known_revision or "")
    return NamedServiceStatus(name=name, status=status, migrated=migrated)


async def _queues(container: AppContainer, request: operations.ReadQueues) -> list[operations.QueueStatus] | None:
    try:
        queues = await container.rabbit.call("accounts", "read_queues", request, operations.Queues)
    except PeygirError:
        return None
    return queues.items


@router.get(
    "/status",
    operation_id="getOperationsStatus",
    summary="How the installation runs",
    response_model=OperationsStatus,
    responses=problems(401, 403),
)
async def get_operations_status(container: ContainerDep, signed_in: AdministratorDep) -> Response:
    """For administrators: each service's release, migrations and outbox, and what waits in each queue. Whatever does not answer
    is said so; the rest is told all the same. No secret, and nothing of a case. In the audit."""
    asked = operations.ReadQueues(actor=signed_in.actor)
    queues, *services = await asyncio.gather(
        _queues(container, asked), *(_status(container, name) for name in SERVICES)
    )
    status = OperationsStatus(
        gateway_version=container.settings.peygir_version,
        ready=container.ready,
        services=[service for service in services if isinstance(service, NamedServiceStatus)],
        queues=queues if isinstance(queues, list) else None,
    )
    return answer(status)


register_requests(
    router,
    RequestEndpoint(
        "GET /dead-letters",
        "listDeadLetters",
        "What could not be handled",
        "The oldest first, with why, and how many fell from each queue; without the bodies. In the audit.",
        ADMINISTRATOR,
        Rpc("accounts.list_dead_letters", operations.ListDeadLetters, operations.DeadLetters),
    ),
    RequestEndpoint(
        "GET /dead-letters/{letter_id}",
        "getDeadLetter",
        "One dead letter",
        "Which fields it has and how long they are, not what they say: that is read on the server alone.",
        ADMINISTRATOR,
        Rpc("accounts.show_dead_letter", operations.ShowDeadLetter, operations.DeadLetterDetails),
        parameters=_LETTER,
    ),
    RequestEndpoint(
        "POST /dead-letters/{letter_id}/replay",
        "replayDeadLetter",
        "Back to its queue",
        "Its effect happens once, for 30 days after it died. 409 where that queue is no more.",
        ADMINISTRATOR,
        Rpc("accounts.replay_dead_letter", operations.ReplayDeadLetter, operations.HandledDeadLetter),
        parameters=_LETTER,
        success=Success(status=202, description="It is in its queue again"),
    ),
    RequestEndpoint(
        "POST /dead-letters/{letter_id}/drop",
        "dropDeadLetter",
        "Drop it for ever",
        "With a reason; who did it is in the audit.",
        ADMINISTRATOR,
        Rpc("accounts.drop_dead_letter", operations.DropDeadLetter, operations.HandledDeadLetter),
        parameters=_LETTER,
        body=DropBody,
    ),
)
