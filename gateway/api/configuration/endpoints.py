"""What the administrator sets: units, grounds, lists, calendar, deadlines and retention, with who changed what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from contracts import intake
from gateway.api.configuration.changes import CodePath, EditorDep, register_changes, register_previews
from gateway.api.configuration.tables import SETTINGS, TABLES
from gateway.api.openapi_responses import answers, problems
from gateway.api.request_endpoints import (
    ADMINISTRATOR,
    HISTORY_PAGE,
    Field,
    RequestEndpoint,
    Rpc,
    Success,
    register_requests,
)
from gateway.cases.views import Configuration

router = APIRouter(prefix="/configuration", tags=["configuration"])

_WHAT = Annotated[str | None, Query(max_length=40, pattern=r"^[a-z_]+$", examples=["units"])]
_ITEM = Annotated[str | None, Query(max_length=100, pattern=r"^[a-z0-9._-]+$")]

register_requests(
    router,
    RequestEndpoint(
        "GET",
        "getConfiguration",
        "All that is set",
        "As it is at this moment; every change carries its ETag back in If-Match.",
        ADMINISTRATOR,
        Rpc("intake.get_configuration", intake.GetConfiguration, Configuration),
        success=Success(description="The configuration", etag=True),
    ),
    RequestEndpoint(
        "GET /history",
        "listConfigurationHistory",
        "Who changed what",
        "Newest first, before and after. `what`: units, grounds, deadlines, …; `item`: the code of one of them.",
        ADMINISTRATOR,
        Rpc("intake.list_configuration_history", intake.ListConfigurationHistory, intake.ConfigurationHistory),
        parameters={"what": Field(_WHAT, None), "item": Field(_ITEM, None, name="code"), **HISTORY_PAGE},
    ),
)
register_changes(router, TABLES)


@router.delete(
    "/answer-templates/{template}",
    operation_id="removeAnswerTemplate",
    summary="Take an answer template away",
    response_model=Configuration,
    responses={
        **problems(401, 403, 409, 412, 422, 428),
        **answers(200, "The configuration", ETag="Its version"),
    },
)
async def remove_answer_template(template: CodePath, editor: EditorDep) -> Response:
    """One that is not there is answered alike."""
    return await editor.change(intake.RemoveAnswerTemplate(code=template))


register_changes(router, SETTINGS)
register_previews(router, SETTINGS)
