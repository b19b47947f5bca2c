"""Downloads of evidence: streamed from the object store over a presigned URL that clients never see, and never as HTML.

The caller has been authorised by tracking before, and media has signed for that case (`SignDownload.case_id`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from backbone.process import logs
from contracts.errors import Gone, PeygirError, Unavailable
from contracts.media import INLINE_TYPES, Download
from gateway.edge.representation import matching

log = logs.get("downloads")

_CHUNK = 64 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PDF = "application/pdf"
_JSON = "application/json"  # of peaks
MEDIA_TYPES = (*sorted(INLINE_TYPES), _PDF, _JSON, "application/octet-stream")
"""The content types that a download may have."""
_FIXED_HEADERS = {
    "accept-ranges": "bytes",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}


_READERS = "Authorization, Cookie, Tracking-Code"
"""Headers that say who reads: a browser's cache gives a file to nobody else who uses it."""
_CSP = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def content_security_policy(media_type: str) -> str:
    """The policy of an answer of this type, for when it is opened as a page of its own.

    No script runs in any of them. Everything but sound and film is sandboxed: a sandbox gives a page an origin of its own,
    and Chromium's player then may not read the file that it should play.
    """
    return _CSP if media_type.startswith(("audio/", "video/")) else f"{_CSP}; sandbox"


class RangeNotSatisfiable(PeygirError):
    code = "range_not_satisfiable"
    status = 416


async def stream_media(
    client: httpx.AsyncClient,
    download: Download,
    request_headers: Mapping[str, str],
    *,
    method: str = "GET",
    save: bool = False,
    kept_for: int = 0,
) -> Response:
    """The answer that carries `download`: 200, 304 where the client has it, or 206 for one range of bytes (RFC 9110, 13 and 14).

    `save`: to be saved even where it could be shown. `kept_for`: seconds for which the reader's own browser may show it again
    without asking, 0 for a computer that others use: what is taken back meanwhile may be seen for so long by who saw it.
    Raises RangeNotSatisfiable, Gone (no longer in the store), Unavailable.
    """
    media_type = (
        download.media_type if download.media_type in INLINE_TYPES | {_PDF, _JSON} else "application/octet-stream"
    )
    inline = download.inline and not save and media_type in INLINE_TYPES
    headers = {
        **_FIXED_HEADERS,
        "content-security-policy": content_security_policy(media_type),
        "content-type": media_type,
        "content-disposition": content_disposition(download.file_name, inline),
        "etag": f'"{download.sha256}"',
        "vary": _READERS,
        "cache-control": f"private, max-age={kept_for}, immutable" if kept_for else "private, no-store",
    }
    if given := matching(request_headers.get("if-none-match", ""), headers["etag"]):
        kept = {name: value for name, value in headers.items() if name not in ("content-type", "content-disposition")}
        return Response(status_code=304, headers=kept | {"etag": given})
    span = requested_range(request_headers, download)
    first, last = span or (0, download.size - 1)
    headers["content-length"] = str(last - first + 1)
    if span is not None:
        headers["content-range"] = f"bytes {first}-{last}/{download.size}"
    status = 200 if span is None else 206
    if method == "HEAD":
        return Response(status_code=status, headers=headers)
    answer = await _open(client, download, span)
    return StreamingResponse(
        _chunks(answer), status_code=status, headers=headers, background=BackgroundTask(answer.aclose)
    )


def requested_range(request_headers: Mapping[str, str], download: Download) -> tuple[int, int] | None:
    """First and last byte of the requested range, within the file; None for all of it.

    Several ranges, and what is no range of bytes, are ignored as RFC 9110 allows. Raises RangeNotSatisfiable.
    """
    match = _RANGE.fullmatch(request_headers.get("range", "").strip().lower().replace(" ", ""))
    if_range = request_headers.get("if-range")
    if match is None or match.groups() == ("", "") or (if_range is not None and if_range != f'"{download.sha256}"'):
        return None
    first, last = match.groups()
    if not first:
        span = (max(0, download.size - int(last)), download.size - 1)
    else:
        # nanio refuses a range that ends beyond the object.
        span = (int(first), min(int(last), download.size - 1) if last else download.size - 1)
        if last and int(last) < int(first):
            return None
    if span[0] > span[1]:
        raise RangeNotSatisfiable(size=download.size)
    return span


def content_disposition(file_name: str, inline: bool) -> str:
    """Content-Disposition (RFC 6266) with the name in UTF-8 and a plain one for old clients."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", file_name)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


@asynccontextmanager
async def open_media(client: httpx.AsyncClient, download: Download) -> AsyncIterator[AsyncIterator[bytes]]:
    """All bytes of `download`. Gone; Unavailable, also when it breaks off, or they are not what media once stored."""
    answer = await _open(client, download, None)
    try:
        yield _all_of(answer, download.sha256)
    finally:
        await answer.aclose()


async def _all_of(answer: httpx.Response, sha256: str) -> AsyncIterator[bytes]:
    digest = hashlib.sha256()
    try:
        async for chunk in answer.aiter_raw(_CHUNK):
            digest.update(chunk)
            yield chunk
    except httpx.HTTPError as error:
        log.warning("the object store broke off", error=type(error).__name__)
        raise Unavailable(retry_after=5) from error
    if digest.hexdigest() != sha256:
        log.error("an object is not what was stored")
        raise Unavailable(retry_after=5)


async def _open(client: httpx.AsyncClient, download: Download, span: tuple[int, int] | None) -> httpx.Response:
    headers = {"Accept-Encoding": "identity"}
    if span is not None:
        headers["Range"] = f"bytes={span[0]}-{span[1]}"
    try:
        answer = await client.send(client.build_request("GET", download.url, headers=headers), stream=True)
    except httpx.HTTPError as error:
        log.warning("the object store cannot be read", error=type(error).__name__)
        raise Unavailable(retry_after=5) from error
    if answer.status_code != (httpx.codes.OK if span is None else httpx.codes.PARTIAL_CONTENT):
        await answer.aclose()
        log.warning("the object store refused a download", status=answer.status_code)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise Gone
        raise Unavailable(retry_after=5)
    return answer


async def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw(_CHUNK):
            yield chunk
    finally:
        await answer.aclose()
