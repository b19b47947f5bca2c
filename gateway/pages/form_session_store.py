"""Stores of form sessions: what a visitor has typed, out of the visitor's cookies, as sealed values under a hashed id.

A store sees a record's id (a keyed hash), the names of its values, their sizes and times. It cannot read a value: each is
encrypted under a key that is made of the visitor's own cookie (gateway/pages/form_session.py).

    FileStore     one file a record under GATEWAY_STATE_DIR/form-sessions: survives a restart of the gateway
    ValkeyStore   one hash a record in the server of LIMITS_URL: several gateways share it
    SharedStore   the second, and while it does not answer the first

A record is gone LIFETIME seconds after its last change.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from backbone.process import logs
from gateway.settings import Settings

log = logs.get("form_sessions")

LIFETIME = 24 * 60 * 60
"""Seconds."""
RECORD_LIMIT = 256 * 1024
"""Octets of one record: a filing and an answer at their longest are some 60 kB, compressed and sealed."""
PROTECTED = 60 * 60
"""Seconds: a record changed within them is never removed to free space, so a flood cannot take what is being written."""
SWEEP = 10 * 60.0
"""Seconds between two removals of what is past its time."""
REST = 5.0
"""Seconds in which a shared server that did not answer is not tried again."""
_PATIENCE = {"socket_timeout": 1.0, "socket_connect_timeout": 0.5}
_ID = re.compile(r"[0-9a-f]{64}")
_SCHEMES = ("valkey", "valkeys", "redis", "rediss", "unix")

Record = dict[str, bytes]


@dataclass(frozen=True)
class StoredCopies:
    """A record as it was read: every copy that was reached, the newest of each value counts. `complete` False: another
    copy may be where nobody answers now, so what is not here may still exist."""

    records: list[Record]
    complete: bool = True


class StoreUnavailable(Exception):
    """Nothing can be kept now: the store is full or away. What was kept before is as it was."""


class RecordTooLarge(StoreUnavailable):
    """One session's values together are more than RECORD_LIMIT."""


class FormSessionStore(Protocol):
    """Records of sealed values by name. `record_id`: 64 hexadecimal digits."""

    async def read(self, record_id: str) -> StoredCopies:
        """StoreUnavailable when nothing at all is known of it."""
        ...

    async def change(self, record_id: str, values: Mapping[str, bytes], removed: Mapping[str, bytes]) -> None:
        """Puts `values` and removes the names in `removed`, all or nothing. The octets of a removed name are its sealed
        "removed", kept instead where an older copy cannot be reached now. StoreUnavailable."""
        ...

    async def remove(self, record_id: str) -> None:
        """StoreUnavailable."""
        ...

    async def sweep_forever(self) -> None:
        """Removes what is past its time, until it is cancelled."""
        ...


class FileStore:
    """One file a record. At most `most_records` and `most_bytes` in all: what is past its time goes first, then the oldest
    that are not PROTECTED; when all are, StoreUnavailable.

    Work is done in threads. A lock file serves processes that share the folder, each of which bounds what it has seen.
    """

    def __init__(
        self, folder: Path, most_records: int, most_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder, self._clock = folder, clock
        self._most_records, self._most_bytes = most_records, most_bytes
        # record id → (time of the last change, octets), the oldest first; None: the folder was not looked through yet
        self._records: OrderedDict[str, tuple[float, int]] | None = None
        self._bytes = 0

    async def read(self, record_id: str) -> StoredCopies:
        try:
            record = await asyncio.to_thread(self._read, self._path(record_id))
        except OSError as error:
            log.warning("a draft cannot be read", error=type(error).__name__)
            raise StoreUnavailable from None
        return StoredCopies([record] if record else [])

    async def change(self, record_id: str, values: Mapping[str, bytes], removed: Mapping[str, bytes]) -> None:
        await asyncio.to_thread(self._change, record_id, dict(values), frozenset(removed))

    async def remove(self, record_id: str) -> None:
        await asyncio.to_thread(self._remove_one, record_id)

    async def sweep_forever(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.sweep)
            except OSError as error:
                log.warning("kept drafts cannot be looked through", error=type(error).__name__)
            await asyncio.sleep(SWEEP)

    def sweep(self) -> None:
        """Removes what is past its time, whoever wrote it."""
        if not self._folder.is_dir():
            return
        with self._locked():
            self._records = None
            self._remove_expired(self._listed())

    def _path(self, record_id: str) -> Path:
        assert _ID.fullmatch(record_id), "an id is 64 hexadecimal digits"
        return self._folder / record_id

    def _read(self, path: Path) -> Record:
        try:
            if self._clock() - path.stat().st_mtime > LIFETIME:
                return {}
            stored = json.loads(path.read_bytes())
            return {str(name): base64.b64decode(value) for name, value in stored.items()}
        except (FileNotFoundError, ValueError, AttributeError, TypeError):  # not there, or torn by a power cut
            return {}

    def _change(self, record_id: str, values: Record, removed: frozenset[str]) -> None:
        path = self._path(record_id)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked():
                record = {name: value for name, value in self._read(path).items() if name not in removed} | values
                if not record:
                    self._unlink(record_id)
                    return
                content = json.dumps({name: base64.b64encode(value).decode() for name, value in record.items()})
                if len(content) > RECORD_LIMIT:
                    raise RecordTooLarge
                self._free_space(record_id, len(content))
                self._write(path, content.encode())
                self._record_change(record_id, self._clock(), len(content))
        except OSError as error:
            log.warning("a draft cannot be kept", error=type(error).__name__)
            raise StoreUnavailable from None

    def _remove_one(self, record_id: str) -> None:
        try:
            if self._folder.is_dir():
                with self._locked():
                    self._unlink(record_id)
        except OSError:
            raise StoreUnavailable from None

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all. Not forced to the disk: a power cut may take a draft, and a torn one cannot be opened."""
        new = path.with_suffix(f".{os.getpid()}.new")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
            moment = self._clock()
            os.utime(new, (moment, moment))
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise

    def _free_space(self, record_id: str, size: int) -> None:
        records = self._listed()
        present_size = records.get(record_id, (0.0, 0))[1]
        self._remove_expired(records)
        while len(records) + (record_id not in records) > self._most_records or (
            self._bytes - present_size + size > self._most_bytes
        ):
            oldest = next((name for name in records if name != record_id), None)
            if oldest is None or self._clock() - records[oldest][0] < PROTECTED:
                log.warning("no draft can be kept: the store is full", records=len(records), octets=self._bytes)
                raise StoreUnavailable
            self._unlink(oldest)

    def _remove_expired(self, records: OrderedDict[str, tuple[float, int]]) -> None:
        while records and self._clock() - next(iter(records.values()))[0] > LIFETIME:
            self._unlink(next(iter(records)))

    def _listed(self) -> OrderedDict[str, tuple[float, int]]:
        if self._records is None:
            listed = []
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if _ID.fullmatch(entry.name):
                        listed.append((status.st_mtime, status.st_size, entry.name))
                    elif entry.name.endswith(".new") and self._clock() - status.st_mtime > PROTECTED:
                        Path(entry.path).unlink(missing_ok=True)  # a process was killed while it wrote
            self._records = OrderedDict((name, (changed, size)) for changed, size, name in sorted(listed))
            self._bytes = sum(size for _, size, _ in listed)
        return self._records

    def _record_change(self, record_id: str, changed: float, size: int) -> None:
        records = self._listed()
        self._bytes += size - records.pop(record_id, (0.0, 0))[1]
        records[record_id] = (changed, size)

    def _unlink(self, record_id: str) -> None:
        self._path(record_id).unlink(missing_ok=True)
        if self._records is not None:
            self._bytes -= self._records.pop(record_id, (0.0, 0))[1]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        handle = os.open(self._folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


class ValkeyStore:
    """One hash a record, `peygir:form-session:<id>`, which the server drops after LIFETIME. How much it holds in all is its own
    `maxmemory`."""

    def __init__(self, url: str) -> None:
        import valkey.asyncio  # here, since a single gateway needs none

        self._client: Any = valkey.asyncio.from_url(url, **_PATIENCE)  # type: ignore[no-untyped-call]  # the library's own gap
        self._resting_until = 0.0

    async def read(self, record_id: str) -> StoredCopies:
        values = await self._request(lambda client: client.hgetall(_key(record_id)))
        return StoredCopies([{name.decode(): value for name, value in values.items()}] if values else [])

    async def change(self, record_id: str, values: Mapping[str, bytes], removed: Mapping[str, bytes]) -> None:
        key = _key(record_id)

        async def go(client: Any) -> None:
            async with client.pipeline(transaction=True) as pipe:
                if removed:
                    pipe.hdel(key, *removed)
                if values:
                    pipe.hset(key, mapping=dict(values))
                pipe.expire(key, LIFETIME)
                await pipe.execute()

        await self._request(go)

    async def remove(self, record_id: str) -> None:
        await self._request(lambda client: client.delete(_key(record_id)))

    async def sweep_forever(self) -> None:
        """The server does it by itself."""

    async def _request(self, operation: Callable[[Any], Any]) -> Any:
        if time.monotonic() < self._resting_until:
            raise StoreUnavailable
        try:
            return await operation(self._client)
        except Exception as error:  # noqa: BLE001  # whatever the client raises
            self._resting_until = time.monotonic() + REST
            log.warning("the shared store of drafts cannot be reached", error=type(error).__name__)
            raise StoreUnavailable from None


class SharedStore:
    """`shared`, and `local` while that does not answer. A record may then have values in both: the newest of each counts."""

    def __init__(self, shared: FormSessionStore, local: FormSessionStore) -> None:
        self._shared, self._local = shared, local

    async def read(self, record_id: str) -> StoredCopies:
        local = (await self._local.read(record_id)).records
        try:
            return StoredCopies([*local, *(await self._shared.read(record_id)).records])
        except StoreUnavailable:
            return StoredCopies(local, complete=False)

    async def change(self, record_id: str, values: Mapping[str, bytes], removed: Mapping[str, bytes]) -> None:
        try:
            await self._shared.change(record_id, values, removed)
        except RecordTooLarge:
            raise
        except StoreUnavailable:
            await self._local.change(record_id, {**removed, **values}, {})
            return
        if (await self._local.read(record_id)).records:
            await self._local.change(record_id, {}, {**values, **removed})

    async def remove(self, record_id: str) -> None:
        await self._local.remove(record_id)
        await self._shared.remove(record_id)  # where it is away, the record goes at the end of its lifetime

    async def sweep_forever(self) -> None:
        await self._local.sweep_forever()


def make_store(settings: Settings) -> FormSessionStore:
    """The store that these settings ask for."""
    local = FileStore(
        settings.gateway_state_dir / "form-sessions", settings.form_sessions_kept, settings.form_sessions_bytes
    )
    if settings.limits_url is None:
        return local
    url = settings.limits_url.get_secret_value()
    if urlsplit(url).scheme not in _SCHEMES:
        log.warning("drafts are kept by this gateway alone: LIMITS_URL names no single Valkey or Redis server")
        return local
    return SharedStore(ValkeyStore(url), local)


def _key(record_id: str) -> str:
    return f"peygir:form-session:{record_id}"
