"""One large upload: by tus through the gateway, and by a presigned PUT to the S3 server directly; by the same client."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

from minio import Minio

from benchmarks import load
from benchmarks.api_user import CREATED
from benchmarks.measured_system import MeasuredSystem

_PART = os.urandom(64 * 1024)
_TUS = {"Tus-Resumable": "1.0.0"}
_BUCKET = "bench"


class Upload:
    """Uploads of `mebibytes` MiB; each is removed afterwards."""

    def __init__(self, system: MeasuredSystem, mebibytes: int) -> None:
        self._system, self._bytes = system, mebibytes * 2**20
        values = system.system.values
        self._store = Minio(
            urlsplit(values["S3_ENDPOINT"]).netloc, values["S3_ACCESS_KEY"], values["S3_SECRET_KEY"], secure=False
        )
        if not self._store.bucket_exists(_BUCKET):
            self._store.make_bucket(_BUCKET)

    def warm_up(self) -> None:
        """A small upload each way."""
        whole, self._bytes = self._bytes, len(_PART)
        self.through_the_gateway()
        self.directly()
        self._bytes = whole

    def through_the_gateway(self) -> float:
        """MiB a second, from the first byte to the answer that all are stored."""
        return load.run(self._through_the_gateway())

    def directly(self) -> float:
        """The same, to the S3 server."""
        return load.run(self._directly())

    async def _through_the_gateway(self) -> float:
        connection = load.Connection(self._system.url)
        created = await connection.request(
            load.request("POST", "/v1/uploads", {**_TUS, "Upload-Length": str(self._bytes), "Content-Length": "0"})
        )
        assert created.status == CREATED, created.body
        start = created.head.lower().index(b"location: ") + 10
        path = urlsplit(created.head[start : created.head.index(b"\r\n", start)].decode()).path
        headers = {**_TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        rate = await self._send("PATCH", self._system.url, path, headers, 204)
        connection.close()
        return rate

    async def _directly(self) -> float:
        name = uuid.uuid4().hex
        url = urlsplit(self._store.presigned_put_object(_BUCKET, name, timedelta(minutes=5)))
        headers = {"Host": url.netloc}
        rate = await self._send("PUT", f"http://{url.netloc}", f"{url.path}?{url.query}", headers, 200)
        self._store.remove_object(_BUCKET, name)
        return rate

    async def _send(self, method: str, url: str, path: str, headers: dict[str, str], expected: int) -> float:
        connection = load.Connection(url)
        all_headers = {"Host": "peygir", **headers, "Content-Length": str(self._bytes)}
        head = "\r\n".join(
            [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in all_headers.items()), "", ""]
        )
        began = time.perf_counter()
        answer = await connection.request_streaming(head.encode(), self._parts())
        took = time.perf_counter() - began
        connection.close()
        assert answer.status == expected, answer.head + answer.body
        return self._bytes / 2**20 / took

    async def _parts(self) -> AsyncIterator[bytes]:
        for _ in range(0, self._bytes, len(_PART)):
            yield _PART
