"""The newest checkpoint, for whoever wants to keep it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from contracts.errors import NotFound
from gateway.deps import JSON, DoorDep, VisitorDep
from gateway.documents import problems
from gateway.receipts import Checkpoint

router = APIRouter(tags=["checkpoints"])


@router.get(
    "/checkpoints/latest",
    operation_id="getLatestCheckpoint",
    summary="The newest signed checkpoint",
    response_model=Checkpoint,
    responses=problems(404),
)
async def latest(door: DoorDep, _: VisitorDep) -> Response:
    """The heads of every audit log and of the timelines, as the file that the office gives away each day. Keep it: with it
    `verify-history` finds whether anything older was rewritten. It holds hashes, counts and times alone."""
    kept = await door.checkpoints.latest()
    if kept.document is None:
        raise NotFound
    return Response(kept.document.encode(), 200, {"cache-control": "no-store"}, JSON)
