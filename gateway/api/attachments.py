"""Downloads of attachments: one call is the route and its OpenAPI operation."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from contracts.media import Variant
from contracts.tracking import AuthorizeMedia
from gateway.api.dependencies import ContainerDep, MediaId
from gateway.api.openapi_responses import problems
from gateway.api.request_endpoints import Sender
from gateway.api.signatures import parameter, with_signature
from gateway.container import AppContainer
from gateway.evidence import attachments


def register_attachment(
    router: APIRouter,
    path: str,
    *,
    operation_id: str,
    summary: str,
    sender: Sender,
    tags: tuple[str, ...] = (),
    **path_values: Any,
) -> None:
    """GET `path`, which ends in {media_id}. `path_values`: the types of what else is in it, fields of AuthorizeMedia by name."""

    async def handle(
        *, request: Request, media_id: str, container: AppContainer, sender: Any, variant: Variant, **values: Any
    ) -> Response:
        authorization = AuthorizeMedia(**sender.request_fields, media_id=media_id, **values)
        return await container.attachments.send(request, authorization, variant)

    parameters = [
        parameter("request", Request),
        *(parameter(name, annotation) for name, annotation in path_values.items()),
        parameter("media_id", MediaId),
        parameter("container", ContainerDep),
        parameter("sender", sender.dependency),
        parameter("variant", Variant, Variant.EVIDENCE),
    ]
    router.add_api_route(
        path,
        with_signature(handle, operation_id, parameters),
        methods=["GET"],
        tags=list(tags) or None,
        operation_id=operation_id,
        summary=summary,
        description="Supports one Range. Never HTML.",
        response_class=Response,
        responses={**problems(*sender.errors, 404, 409, 410, 416, 422), **attachments.CONTENT},
    )
