"""A form with one file, read as it comes: small fields first, the file last, never held in memory or on disk.

The store wants a file's size before its first byte, and a form does not tell it. But the file is the last part of our
forms, so its size is what Content-Length leaves when the head before it and the closing boundary after it are taken away.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request

from contracts.errors import Invalid

HEAD_LIMIT = 128 * 1024  # octets before the file
DRAINED = 512 * 1024 * 1024  # octets read and thrown away, so that a browser shows why a file was refused
_BOUNDARY = re.compile(r'^multipart/form-data\s*;.*?boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(r'[;\s]name="([^"]*)"')
_FILE_NAME = re.compile(r'[;\s]filename="([^"]*)"')
_TYPE = re.compile(r"^content-type:\s*([\w.+/-]{1,100})", re.IGNORECASE | re.MULTILINE)


class BrokenForm(Invalid):
    """What came is not the form we sent out, or it was cut off."""

    code = "broken_form"


async def drain(stream: AsyncIterator[bytes]) -> None:
    """Reads a body to its end and throws it away."""
    read = 0
    async for chunk in stream:
        read += len(chunk)
        if read >= DRAINED:
            return


async def fields_of(request: Request, to_its_end: bool = True) -> dict[str, list[str]]:
    """The fields of a posted form as far as they arrived, its file thrown away, or left unread; none where another part of
    the code has read the body, or it is no such form."""
    try:
        form = Multipart(request)
    except BrokenForm:
        return {}
    with suppress(BrokenForm, ClientDisconnect, RuntimeError):  # starlette's, for a body that was read before
        await form.open()
        if to_its_end:
            await form.drain()
    return form.fields


@dataclass(frozen=True)
class FilePart:
    """`size` in octets."""

    name: str
    media_type: str
    size: int


class Multipart:
    """One posted form. First `open`, then `fields` and `file`, then the file's `chunks` or `drain`."""

    def __init__(self, request: Request) -> None:
        self.fields: dict[str, list[str]] = {}
        self.file: FilePart | None = None
        self._stream = request.stream()
        # What has come and not been taken is `self._buffer[self._at :]`. A bytearray with a place in it, so that many small
        # fields, or a body that comes byte by byte, cost linear time.
        self._buffer = bytearray()
        self._at = 0
        self._taken = 0  # octets of the body that have been taken
        match = _BOUNDARY.match(request.headers.get("content-type", ""))
        length = request.headers.get("content-length", "")
        if match is None or not (length.isascii() and length.isdigit()):
            raise BrokenForm
        self._boundary = match.group(1).encode("latin-1")
        self._length = int(length)

    async def open(self) -> Multipart:
        """Reads up to the first byte of the file."""
        delimiter = b"--" + self._boundary
        if await self._until(b"\r\n") != delimiter:
            raise BrokenForm
        while True:
            head = (await self._until(b"\r\n\r\n")).decode("utf-8", "replace")
            name = _NAME.search(head)
            if name is None:
                raise BrokenForm
            file_name = _FILE_NAME.search(head)
            if file_name is not None:
                self.file = self._file(head, unquote(file_name.group(1)))
                return self
            value = await self._until(b"\r\n" + delimiter)
            self.fields.setdefault(name.group(1), []).append(value.decode("utf-8", "replace"))
            if await self._take(2) == b"--":
                return self

    def _file(self, head: str, name: str) -> FilePart | None:
        size = self._length - self._taken - len(self._closing)
        if size < 0:
            raise BrokenForm
        declared = _TYPE.search(head)
        if not name and size == 0:
            return None
        return FilePart(name[-255:], declared.group(1) if declared else "application/octet-stream", size)

    @property
    def _closing(self) -> bytes:
        return b"\r\n--" + self._boundary + b"--\r\n"

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file's octets, exactly `file.size` of them; BrokenForm when they are cut off or more follows."""
        left = self.file.size if self.file else 0
        while left:
            if self._at == len(self._buffer) and not await self._more():
                raise BrokenForm
            chunk = self._cut(min(left, len(self._buffer) - self._at))
            left -= len(chunk)
            yield chunk
        if await self._take(len(self._closing)) != self._closing:
            raise BrokenForm

    async def drain(self) -> None:
        """Reads the rest and throws it away."""
        self._buffer.clear()
        self._at = 0
        await drain(self._stream)

    async def _more(self) -> bool:
        async for chunk in self._stream:
            if chunk:
                del self._buffer[: self._at]  # a bytearray forgets its beginning without a copy
                self._at = 0
                self._buffer += chunk
                return True
        return False

    async def _until(self, mark: bytes) -> bytes:
        looked_through = 0
        while (end := self._buffer.find(mark, self._at + looked_through)) < 0:
            looked_through = max(0, len(self._buffer) - self._at - len(mark) + 1)
            if self._taken + len(self._buffer) - self._at > HEAD_LIMIT or not await self._more():
                raise BrokenForm
        before = self._cut(end - self._at)
        self._at += len(mark)
        self._taken += len(before) + len(mark)
        return before

    async def _take(self, count: int) -> bytes:
        while len(self._buffer) - self._at < count:
            if not await self._more():
                raise BrokenForm
        self._taken += count
        return self._cut(count)

    def _cut(self, count: int) -> bytes:
        """The next `count` octets, which have come."""
        taken = bytes(self._buffer[self._at : self._at + count])
        self._at += count
        return taken
