"""A client that files continuously and records every code it received, like a phone on a bad connection.

It repeats a request without an answer, with the same Idempotency-Key, until there is one; sometimes it loses an answer, and
repeats the request although it was accepted.
"""

from __future__ import annotations

import base64
import io
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from PIL import Image

from tests.e2e.people import JSON, UNIT, Town
from tests.resilience.randomness import pass_time, random_stream

TUS = {"Tus-Resumable": "1.0.0"}


@dataclass
class Citizen:
    """A signed-in citizen, whose token is renewed before its 15 minutes are over."""

    mobile: str
    token: str


@dataclass
class FiledReport:
    """One submission. `answers`: code and submission id of each answer that was received, in order."""

    key: str
    body: JSON
    citizen: Citizen | None
    evidence: bytes | None = None
    uploads: list[str] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)
    tries: int = 0

    @property
    def code(self) -> str:
        return self.answers[0][0]

    @property
    def submission_id(self) -> str:
        return self.answers[0][1]


class UnexpectedAnswer(Exception):
    """An answer that no client should get."""


class Client:
    """Files from several threads until `finish`; `entries` records the submissions. `pause`: average seconds between two of a
    thread; may be changed meanwhile."""

    def __init__(
        self,
        url: str,
        citizens: Sequence[Citizen],
        seed: int,
        *,
        threads: int = 3,
        pause: float = 0.25,
        evidence: float = 0.06,
    ) -> None:
        self._url, self._citizens = url, citizens
        self.pause, self._evidence = pause, evidence
        self.entries: list[FiledReport] = []
        self.slowest = 0.0
        self._unexpected: list[str] = []
        self._closing = threading.Event()
        self._abandoned = threading.Event()
        self._threads = [
            threading.Thread(target=self._run_thread, args=(random_stream(seed, number),), daemon=True)
            for number in range(threads)
        ]

    def start(self) -> Client:
        for thread in self._threads:
            thread.start()
        return self

    def finish(self, patience: float = 120.0) -> list[FiledReport]:
        """Stops filing; returns the submissions when each that was begun has its code."""
        self._closing.set()
        until = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.1))
        hanging = sum(thread.is_alive() for thread in self._threads)
        self.abandon()
        assert not self._unexpected, self._unexpected[:10]
        assert not hanging, f"{hanging} submissions had no answer after {patience} s"
        return self.entries

    def abandon(self) -> None:
        """Ends the threads, whatever they are doing."""
        self._closing.set()
        self._abandoned.set()

    @property
    def repeated(self) -> int:
        """How many submissions were sent more than once."""
        return sum(entry.tries > 1 for entry in self.entries)

    # --- one thread ---

    def _run_thread(self, random_: random.Random) -> None:
        with httpx.Client(base_url=self._url, timeout=8, trust_env=False) as http:
            while not self._closing.is_set():
                entry = self._new_report(random_)
                self.entries.append(entry)
                try:
                    if entry.evidence is not None:
                        self._until_done(random_, lambda e=entry: self._upload(http, e))  # type: ignore[misc]
                    self._until_done(random_, lambda e=entry: self._file(http, e, random_))  # type: ignore[misc]
                except UnexpectedAnswer as error:
                    self._unexpected.append(str(error))
                    return
                pass_time(random_.uniform(0, 2 * self.pause))

    def _new_report(self, random_: random.Random) -> FiledReport:
        text = f"گزارش آزمایشی {uuid.uuid4().hex}"
        citizen = random_.choice(self._citizens) if self._citizens and random_.random() < 0.6 else None
        body: JSON = {"consent": True, "language": "fa", "text": text}
        if citizen is None:
            body |= {"kind": "information", "unit": "dep.civ.roads", "ground": "waste"}
        else:
            identity = {"name": "شاکی نمونه"}
            body |= {"kind": "complaint", "unit": UNIT, "ground": "delay", "identity": identity}
        evidence = _picture(random_) if random_.random() < self._evidence else None
        return FiledReport(uuid.uuid4().hex, body, citizen, evidence)

    def _until_done(self, random_: random.Random, attempt: Callable[[], bool]) -> None:
        """Repeats an attempt, as a phone does that keeps what was not accepted."""
        while not self._abandoned.is_set():
            try:
                if attempt():
                    return
            except httpx.HTTPError:
                pass
            pass_time(random_.uniform(0.1, 0.8))

    def _file(self, http: httpx.Client, entry: FiledReport, random_: random.Random) -> bool:
        headers = {"Idempotency-Key": entry.key}
        if entry.citizen is not None:
            headers["Authorization"] = f"Bearer {entry.citizen.token}"
        entry.tries += 1
        # Sometimes the connection breaks while the answer is being sent.
        patience = 0.004 if random_.random() < 0.05 else 8.0
        began = time.monotonic()
        body = {**entry.body, "uploads": entry.uploads}
        timeout = httpx.Timeout(8, read=patience)
        answer = http.post("/v1/submissions", json=body, headers=headers, timeout=timeout)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if not _is_accepted(answer, 201):
            return False
        filed = answer.json()
        entry.answers.append((filed["tracking_code"].replace(" ", ""), filed["submission_id"]))
        return random_.random() > 0.07  # received and lost: the citizen submits a second time

    def _upload(self, http: httpx.Client, entry: FiledReport) -> bool:
        assert entry.evidence is not None
        size = len(entry.evidence)
        names = {"filename": "photo.jpg", "filetype": "image/jpeg"}
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in names.items())
        if not entry.uploads:
            headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
            created = http.post("/v1/uploads", headers=headers)
            if not _is_accepted(created, 201):
                return False
            entry.uploads.append(httpx.URL(created.headers["Location"]).path.rsplit("/", 1)[1])
        path = f"/v1/uploads/{entry.uploads[0]}"
        status = http.head(path, headers=TUS)
        if not _is_accepted(status, 200):
            return False
        offset = int(status.headers["Upload-Offset"])
        while offset < size:
            chunk = entry.evidence[offset : offset + size // 2 + 1]
            headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            sent = http.patch(path, content=chunk, headers=headers)
            if not _is_accepted(sent, 204):
                return False
            offset = int(sent.headers["Upload-Offset"])
        return True


def signed_in(town: Town, number: int) -> list[Citizen]:
    """Citizens with phones of their own."""
    citizens = []
    for _ in range(number):
        phone = town.phone()
        caller, _ = town.sign_in(phone)
        citizens.append(Citizen(phone.mobile, caller.token))
    return citizens


def renew(town: Town, citizens: Sequence[Citizen]) -> None:
    """Signs them in again: the same people, fresh tokens."""
    from deploy.demo.phones import Phone

    for citizen in citizens:
        citizen.token = town.sign_in(Phone(town.control, citizen.mobile))[0].token


def _is_accepted(answer: httpx.Response, status: int) -> bool:
    """True for the expected status, False when the request should be repeated; UnexpectedAnswer for anything else."""
    if answer.status_code == status:
        return True
    retryable: dict[int, Any] = {503: "Retry-After", 504: None, 409: None, 408: None}
    if answer.status_code not in retryable:
        text = answer.text if answer.request.method != "HEAD" else ""
        raise UnexpectedAnswer(
            f"{answer.request.method} {answer.request.url.path.split('/')[2]}: {answer.status_code} {text}"
        )
    header = retryable[answer.status_code]
    if header is not None and not answer.headers.get(header, "").isdigit():
        raise UnexpectedAnswer(f"{answer.status_code} without {header}")
    return False


def _picture(random_: random.Random) -> bytes:
    content = io.BytesIO()
    colour = (random_.randrange(256), random_.randrange(256), random_.randrange(256))
    Image.new("RGB", (64, 48), colour).save(content, "JPEG")
    return content.getvalue()
