"""Sending an attachment: tracking says whether, media says where from, and it is streamed through here."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from contracts.media import Download, SignDownload, Variant
from contracts.tracking import AuthorizeMedia, MediaGrant
from gateway.container import AppContainer
from gateway.evidence.downloads import MEDIA_TYPES, stream_media

_BINARY = {name: {"schema": {"type": "string", "format": "binary"}} for name in MEDIA_TYPES}
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes, under the type that media found in them", "content": _BINARY},
    206: {"description": "The part that Range asked for", "content": _BINARY},
}


async def signed(container: AppContainer, asked: AuthorizeMedia, variant: Variant) -> Download:
    """UnknownCase when this caller may not see it; StillRegistering while it is being looked at; Gone when removed."""
    grant = await container.rabbit.ask("tracking", "authorize_media", asked, MediaGrant)
    request = SignDownload(media_id=grant.media_id, variant=variant, case_id=grant.case_id, label=grant.label)
    return await container.rabbit.ask("media", "sign_download", request, Download)


async def send(request: Request, container: AppContainer, asked: AuthorizeMedia, variant: Variant) -> Response:
    """The answer that carries it; see `signed` for what it raises."""
    return await stream_media(
        container.object_store, await signed(container, asked, variant), request.headers, method=request.method
    )
