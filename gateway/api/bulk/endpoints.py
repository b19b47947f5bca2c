"""Bulk commands: one command, or one macro, for many cases, carried out in the background with a report."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from contracts import bulk
from contracts.errors import of_code
from contracts.vocabulary import Language
from gateway.api.bulk.bodies import (
    BulkBody,
    BulkLineView,
    BulkPageView,
    BulkReportView,
    BulkView,
    RefusalCountView,
)
from gateway.api.dependencies import ContainerDep, IdempotencyKey, StaffDep, answer
from gateway.api.openapi_responses import answers, problems
from gateway.api.request_endpoints import (
    HISTORY_PAGE,
    PAGE,
    STAFF,
    Field,
    RequestEndpoint,
    Rpc,
    View,
    register_requests,
)
from gateway.api.steps import step_of
from texts.errors import error_text, error_title

router = APIRouter(prefix="/cases/bulk", tags=["bulk"])

BulkId = Annotated[UUID, Path(description="The bulk command's id.")]


@router.post(
    "",
    operation_id="startBulk",
    summary="Give many cases one command, or one macro",
    status_code=202,
    response_model=BulkView,
    responses={
        **problems(401, 403, 404, 409, body=True),
        **answers(202, "It will be carried out", Location="Where its state is"),
    },
)
async def start(
    body: BulkBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """In my name, each case by itself, with the rights that I have when its turn comes; one that cannot be done stops no other.
    Cases of a search are those that it finds now. 409 with too many under way, too many cases (`too_many_cases`), or none."""
    request = bulk.StartBulk(
        actor=signed_in.actor,
        step=None if body.step is None else step_of(body.step, container.catalogue_cache, "step"),
        macro_id=body.macro_id,
        cases=[bulk.CaseInBulk(**case.model_dump()) for case in body.cases],
        filters=None if body.filters is None else body.filters.filter(),
        search=body.search,
        preview=body.preview,
        idempotency_key=idempotency_key,
    )
    started = await container.rabbit.call("tracking", "start_bulk", request, bulk.Bulk)
    view = _bulk(started, signed_in.visitor.language)
    return answer(view, 202, location=f"/v1/cases/bulk/{view.bulk_id}")


def _bulk(told: bulk.Bulk, language: Language) -> BulkView:
    refusals = [
        RefusalCountView(code=line.code, label=error_title(of_code(line.code, {}), language), count=line.count)
        for line in told.refusals
    ]
    return BulkView.model_validate({**dict(told), "refusals": refusals})


def _page(told: bulk.BulkPage, language: Language) -> BulkPageView:
    return BulkPageView(items=[_bulk(item, language) for item in told.items], next=told.next)


def _line(told: bulk.BulkLine, language: Language) -> BulkLineView:
    values = {**dict(told), "code": None, "detail": None, "params": {}}
    if told.refusal is not None:
        error = of_code(told.refusal.code, told.refusal.params)
        values |= {"code": told.refusal.code, "detail": error_text(error, language), "params": told.refusal.params}
    return BulkLineView.model_validate(values)


def _report(told: bulk.BulkReport, language: Language) -> BulkReportView:
    return BulkReportView(items=[_line(line, language) for line in told.items], next=told.next)


register_requests(
    router,
    RequestEndpoint(
        "GET",
        "listBulks",
        "My bulk commands",
        "The newest first; those that are not purged yet.",
        STAFF,
        Rpc("tracking.list_bulks", bulk.ListBulks, bulk.BulkPage),
        parameters=PAGE,
        view=View(BulkPageView, _page),
    ),
    RequestEndpoint(
        "GET /{bulk_id}",
        "getBulk",
        "How far a bulk command is",
        "404 for another's. The stream says `bulk.progressed` when it has got on.",
        STAFF,
        Rpc("tracking.get_bulk", bulk.GetBulk, bulk.Bulk),
        parameters={"bulk_id": Field(BulkId)},
        view=View(BulkView, _bulk),
    ),
    RequestEndpoint(
        "GET /{bulk_id}/report",
        "readBulkReport",
        "What came of each case",
        "In their order; `result`: those alone. A case that I may not see now has neither id nor number, and reads as a case "
        "that there is none of.",
        STAFF,
        Rpc("tracking.read_bulk_report", bulk.ReadBulkReport, bulk.BulkReport),
        parameters={
            "bulk_id": Field(BulkId),
            "result": Field(Annotated[bulk.LineResult | None, Query()], None),
            **HISTORY_PAGE,
        },
        view=View(BulkReportView, _report),
    ),
    RequestEndpoint(
        "POST /{bulk_id}/cancellation",
        "cancelBulk",
        "Leave the rest of the cases as they are",
        "What has been done stays. Of one that is over nothing changes.",
        STAFF,
        Rpc("tracking.cancel_bulk", bulk.CancelBulk, bulk.Bulk),
        parameters={"bulk_id": Field(BulkId)},
        view=View(BulkView, _bulk),
    ),
)
