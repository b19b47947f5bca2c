"""The object store, through the minio SDK, which no other module uses. Works with MinIO and nanio alike, so it uses only
what both do: plain and presigned PUT and GET, ranges, list, remove.

An upload is stored as *parts*, each an object of its own under the upload's prefix, and not as an S3 multipart
upload. S3 wants 5 MiB in every part but the last, cannot give back a part before the upload is complete, and
lets the later of two writers of one part number win; tus clients send what they like, lose their connection
in the middle, and try again while the first try is still running. With objects of their own, parts have any size, one that
was cut short is kept, each try writes its own object, and the database alone decides which parts the upload consists
of. The examination needs the bytes in a local file anyway: there the parts are put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error

_CHUNK = 256 * 1024
# The SDK cuts what it sends into parts of this size and holds one in memory.
_SDK_PART = 8 * 1024 * 1024


class StoreFailed(Exception):
    """The object store could not be reached, or refused: try again."""


class ObjectMissing(Exception):
    """There is no such object, or it is shorter than it was said to be."""


@dataclass(frozen=True)
class StoredPart:
    """`length`: how many of the object's first bytes count; the rest is padding of a part that was cut
    short.
    """

    key: str
    length: int


class Bucket:
    """One bucket. Safe to share between green threads (urllib3's pool); every call may raise StoreFailed."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, bucket: str, connections: int = 10) -> None:
        """`endpoint`: http(s)://host:port, as this service and the gateway both reach it."""
        parts = urlsplit(endpoint)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
            raise ValueError(f"S3 endpoint must look like http://host:port, not {endpoint!r}")
        self._bucket = bucket
        self._client = Minio(
            parts.netloc,
            access_key,
            secret_key,
            secure=parts.scheme == "https",
            region="us-east-1",  # given, so that the SDK does not ask for it before each presigning
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=5, read=60),
                maxsize=connections,
                retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
            ),
        )

    def ensure_exists(self) -> None:
        """Creates the bucket unless it exists; several processes at once may do this."""
        with _AsStoreFailed():
            try:
                if not self._client.bucket_exists(self._bucket):
                    self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                    raise

    def presigned_put(self, key: str, life: timedelta) -> str:
        """A URL that stores one object under `key` for whoever holds it. No I/O."""
        return str(self._client.get_presigned_url("PUT", self._bucket, key, expires=life))

    def presigned_get(self, key: str, life: timedelta) -> str:
        """A URL that reads one object, ranges included, for whoever holds it. No I/O."""
        return str(self._client.get_presigned_url("GET", self._bucket, key, expires=life))

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Stores a local file; replaces what was under `key`."""
        with _AsStoreFailed():
            self._client.fput_object(
                self._bucket,
                key,
                str(path),
                content_type=content_type,
                part_size=_SDK_PART,
                num_parallel_uploads=1,
            )

    def assemble(self, parts: Iterable[StoredPart], path: Path) -> int:
        """Writes the parts one after the other into `path`; returns bytes written. Raises ObjectMissing."""
        written = 0
        with path.open("wb") as file:
            for part in parts:
                received = 0
                for chunk in self._read(part):
                    file.write(chunk)
                    received += len(chunk)
                if received != part.length:
                    raise ObjectMissing(f"{part.key}: {received} of {part.length} bytes")
                written += received
        return written

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys below `prefix` (which ends with a slash)."""
        with _AsStoreFailed():
            for listed in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                if listed.object_name:
                    yield listed.object_name

    def remove(self, keys: Iterable[str]) -> None:
        """Removes what is there; what is not is no error."""
        with _AsStoreFailed():
            for error in self._client.remove_objects(self._bucket, [DeleteObject(key) for key in keys]):
                if error.code != "NoSuchKey":
                    raise StoreFailed(f"{error.code}: {error.message}")

    def _read(self, part: StoredPart) -> Iterator[bytes]:
        """At most `part.length` bytes. Without a range: nanio refuses one that ends beyond the object."""
        left = part.length
        with _AsStoreFailed():
            try:
                answer = self._client.get_object(self._bucket, part.key)
            except S3Error as error:
                if error.code == "NoSuchKey":
                    raise ObjectMissing(f"{part.key}: {error.code}") from error
                raise
            try:
                for chunk in answer.stream(_CHUNK):
                    yield chunk[:left]
                    left -= min(left, len(chunk))
                    if left == 0:
                        break
            finally:
                answer.close()
                answer.release_conn()


class _AsStoreFailed:
    """The SDK's and urllib3's errors as StoreFailed."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (MinioException, urllib3.exceptions.HTTPError, OSError)):
            raise StoreFailed(f"{type(error).__name__}: {error}") from error
