"""The newest checkpoint, for whoever wants to keep it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from contracts.errors import NotFound
from gateway.api.dependencies import JSON, ContainerDep, VisitorDep
from gateway.api.openapi_responses import problems
from gateway.submissions.receipts import Checkpoint

router = APIRouter(tags=["checkpoints"])


@router.get(
    "/checkpoints/latest",
    operation_id="getLatestCheckpoint",
    summary="The newest signed checkpoint",
    response_model=Checkpoint,
    responses=problems(404),
)
async def latest(container: ContainerDep, _: VisitorDep) -> Response:
    """A signed hash over the heads of every audit log and of the timelines, as the file that the office gives away each day.
    Keep it: with it `verify-history` finds whether anything older was rewritten. It tells nothing of what is in the logs,
    nor how much, nor whether anything was added since the day before."""
    document = await container.checkpoints.latest_public()
    if document is None:
        raise NotFound
    return Response(document.encode(), 200, {"cache-control": "no-store"}, JSON)
