"""Downloads of attachments: tracking authorises, media signs a URL, and the bytes are streamed through the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response

from contracts.media import Download, SignDownload, Variant
from contracts.tracking import AuthorizeMedia, MediaGrant
from gateway.evidence.downloads import MEDIA_TYPES, open_media, stream_media
from gateway.rabbit.client import RabbitClient

_BINARY = {name: {"schema": {"type": "string", "format": "binary"}} for name in MEDIA_TYPES}
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bytes, under the type that media found in them",
        "content": _BINARY,
        "headers": {"ETag": {"description": "Of the bytes", "schema": {"type": "string"}}},
    },
    206: {"description": "The part that Range asked for", "content": _BINARY},
    304: {"description": "Not changed since the ETag that was given"},
}
"""The answers in the OpenAPI document."""


KEPT_FOR = {
    Variant.PREVIEW: 3600,
    Variant.THUMBNAIL: 3600,
    Variant.PEAKS: 3600,
    Variant.PLAYABLE: 600,
    Variant.EVIDENCE: 600,
}
"""Seconds for which a browser may show it again without asking. The bytes of a variant never change; that a file was
withdrawn, or a case went to somebody else, has its effect on who has just seen it so much later."""


class Attachments:
    """`client`: for presigned URLs of the object store."""

    def __init__(self, rabbit: RabbitClient, client: httpx.AsyncClient) -> None:
        self._rabbit, self._client = rabbit, client

    async def sign(self, query: AuthorizeMedia, variant: Variant) -> Download:
        """UnknownCase when this caller may not see it; StillRegistering while media checks it; Gone when it was removed."""
        grant = await self._rabbit.call("tracking", "authorize_media", query, MediaGrant)
        request = SignDownload(media_id=grant.media_id, variant=variant, case_id=grant.case_id, label=grant.label)
        return await self._rabbit.call("media", "sign_download", request, Download)

    async def send(
        self, request: Request, query: AuthorizeMedia, variant: Variant, *, shared_computer: bool = False
    ) -> Response:
        """The answer with its bytes; raises what `sign` does. `shared_computer`: the browser keeps nothing."""
        download = await self.sign(query, variant)
        kept_for = 0 if shared_computer else KEPT_FOR[variant]
        return await stream_media(self._client, download, request.headers, method=request.method, kept_for=kept_for)

    @asynccontextmanager
    async def read(self, query: AuthorizeMedia, variant: Variant) -> AsyncIterator[AsyncIterator[bytes]]:
        """Its bytes, for what the gateway itself makes of them; raises what `sign` does, and Unavailable."""
        download = await self.sign(query, variant)
        async with open_media(self._client, download) as chunks:
            yield chunks
