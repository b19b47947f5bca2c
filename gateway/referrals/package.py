"""The package of a referral while it is made: a ZIP archive that goes straight into age, so that nothing of it is anywhere in
the clear, and what is stored is encrypted to the body already.

    letter.pdf, case.json, evidence/…
    identity.json    when it goes with it
    manifest.json    what it is, and name, size and SHA-256 of each file above
    manifest.sig     Ed25519 over the bytes of manifest.json, base64, by the key of /v1/receipts/key

docs/verify_referral.py checks one with the public key alone.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import threading
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, BinaryIO

import pyrage

from contracts.errors import ReferralTooLarge
from contracts.referrals import PackagedFile

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MANIFEST_TYPE = "peygir_referral"
_MEGABYTE = 1024 * 1024


class SealedPackage:
    """Takes files one after the other and encrypts them to `age_key` into `target`, in a thread of its own: what it takes waits
    in no more than a pipe. `most`: bytes of all files together, ReferralTooLarge beyond. OSError when the disk takes no more.
    `close` ends it, finished or not."""

    def __init__(self, target: BinaryIO, age_key: str, made_at: datetime, most: int) -> None:
        self.contents: list[PackagedFile] = []
        self._made_at, self._most, self._taken = made_at, most, 0
        recipient = pyrage.x25519.Recipient.from_str(age_key)
        reading, writing = os.pipe()
        self._pipe = os.fdopen(writing, "wb")
        self._output = _Hashed(target)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._encrypt, args=(os.fdopen(reading, "rb"), recipient), daemon=True)
        self._thread.start()
        self._archive = zipfile.ZipFile(self._pipe, "w", zipfile.ZIP_STORED)

    def _encrypt(self, source: BinaryIO, recipient: Any) -> None:
        with source:
            try:
                pyrage.encrypt_io(source, self._output, [recipient])
            except Exception as error:  # noqa: BLE001  # whoever finishes it raises it
                self._failure = error

    async def add(self, name: str, content: bytes) -> PackagedFile:
        """A file that is here whole."""

        async def whole() -> AsyncIterator[bytes]:
            yield content

        return await self.add_stream(name, whole())

    async def add_stream(self, name: str, chunks: AsyncIterator[bytes]) -> PackagedFile:
        """A file as it comes. ReferralTooLarge."""
        digest, size = hashlib.sha256(), 0
        about = zipfile.ZipInfo(name, self._made_at.timetuple()[:6])
        entry = await asyncio.to_thread(self._archive.open, about, "w", force_zip64=True)
        try:
            async for chunk in chunks:
                self._take(len(chunk))
                digest.update(chunk)
                size += len(chunk)
                await asyncio.to_thread(entry.write, chunk)
        finally:
            await asyncio.to_thread(_close, entry)
        file = PackagedFile(name=name, size=size, sha256=digest.hexdigest())
        self.contents.append(file)
        return file

    async def finish(self, about: dict[str, Any], sign: Callable[[bytes], bytes]) -> tuple[str, int]:
        """Adds the signed manifest; SHA-256 in hex and size of the encrypted package. `about`: what the manifest says
        besides."""
        manifest = manifest_of(about, self.contents)
        await self.add(MANIFEST, manifest)
        await self.add(SIGNATURE, base64.b64encode(sign(manifest)) + b"\n")
        await asyncio.to_thread(self._finish)
        return self._output.digest.hexdigest(), self._output.size

    def _finish(self) -> None:
        self._archive.close()
        self._pipe.close()
        self._thread.join()
        if self._failure is not None:
            raise OSError("the package could not be encrypted or written") from self._failure

    def close(self) -> None:
        """Ends the thread; harmless after `finish`."""
        for ending in (self._archive.close, self._pipe.close):
            _quietly(ending)
        self._thread.join()

    def _take(self, size: int) -> None:
        self._taken += size
        if self._taken > self._most:
            raise too_large(self._most)


def manifest_of(about: dict[str, Any], contents: list[PackagedFile]) -> bytes:
    """The bytes that are signed: JSON with sorted names, without spaces, UTF-8."""
    files = [file.model_dump() for file in contents]
    values = {"type": MANIFEST_TYPE, "version": 1, **about, "files": files}
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def too_large(most: int) -> ReferralTooLarge:
    """`most` in bytes; people read megabytes."""
    return ReferralTooLarge(limit=most // _MEGABYTE)


def _close(entry: Any) -> None:
    """A broken pipe is told by whoever finishes the package."""
    _quietly(entry.close)


def _quietly(ending: Callable[[], None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        ending()


class _Hashed:
    """A file that is written to, and what was written."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self.digest, self.size = target, hashlib.sha256(), 0

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        self.size += len(content)
        self._target.write(content)
        return len(content)

    def flush(self) -> None:
        self._target.flush()
