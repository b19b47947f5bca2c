"""The lifecycle of a report over HTTP: submit, poll until the case is there, screen, assign, decide, search by number."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from urllib.parse import quote

from benchmarks import load
from benchmarks.api_user import CREATED, ApiUser, between
from benchmarks.load import Connection, Tally

LIFECYCLE_CLIENTS = 24
_POLL = 0.05


class Lifecycle:
    """The lifecycle of a report over HTTP. `requests`, `whole`: seconds of each request and of each lifecycle; `moments`: when
    each request ended, in seconds since `began`, and how long it took."""

    def __init__(self, users: ApiUser) -> None:
        self._users = users
        self.requests: list[float] = []
        self.whole: list[float] = []
        self.moments: list[tuple[float, float]] = []
        self.errors: list[str] = []
        self.began = time.perf_counter()
        screener, inspector = users.staff_session("screener"), users.staff_session("inspector")
        self._screener = {"Authorization": f"Bearer {screener.token}"}
        self._inspector = {"Authorization": f"Bearer {inspector.token}"}
        self._assignment = json.dumps({"inspector": inspector.staff_id}).encode()
        decision = {"outcome": "upheld", "reasons": "گزارش درست بود و جبران شد.", "root_causes": ["process"]}
        self._decision = json.dumps(decision).encode()

    async def run_counted(self, connection: Connection, tally: Tally) -> None:
        began = time.perf_counter()
        try:
            await self._steps(connection)
        except _UnexpectedAnswer as error:
            tally.errors.append(str(error))
        else:
            tally.seconds.append(time.perf_counter() - began)

    async def run(self, connection: Connection) -> None:
        """One lifecycle; failures are added to `errors`."""
        began = time.perf_counter()
        try:
            await self._steps(connection)
        except (_UnexpectedAnswer, load.ConnectionBroken, OSError) as error:
            self.errors.append(str(error))
        else:
            self.whole.append(time.perf_counter() - began)

    async def _steps(self, connection: Connection) -> None:
        filed = await self._send(connection, self._users.submission(), CREATED)
        self._users.filed += 1
        code = between(filed.body, b'"tracking_code":"')
        while True:
            await asyncio.sleep(_POLL)
            status = await self._send(connection, status_of(code))
            if b'"stage":"registering"' not in status.body:
                break
        case = "/v1/cases/" + between(status.body, b'"case_id":"')
        screened = await self._send(connection, self._command(f"{case}/screening", self._screener, 1, b"{}"))
        number = between(screened.body, b'"number":"')
        await self._send(connection, self._command(f"{case}/assignment", self._screener, 2, self._assignment))
        await self._send(connection, self._command(f"{case}/decision", self._inspector, 3, self._decision))
        search = await self._send(
            connection, load.request("GET", f"/v1/cases?limit=5&text={quote(number)}", self._screener)
        )
        if f'"number":"{number}"'.encode() not in search.body:
            raise _UnexpectedAnswer("the case was not found by its number")

    async def _send(self, connection: Connection, request: bytes, expected: int = 200) -> load.Answer:
        began = time.perf_counter()
        answer = await connection.request(request)
        ended = time.perf_counter()
        self.requests.append(ended - began)
        self.moments.append((ended - self.began, ended - began))
        if answer.status != expected:
            raise _UnexpectedAnswer(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")
        return answer

    def _command(self, path: str, authorization: dict[str, str], version: int, body: bytes) -> bytes:
        headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": f'"{version}"'}
        return load.request("POST", path, authorization | headers, body)


class _UnexpectedAnswer(Exception):
    """An answer that ends a lifecycle."""


def status_of(code: str) -> bytes:
    """Where is my case, as a request."""
    return load.request("GET", "/v1/tracking", {"Tracking-Code": code})
