"""What is given away of a checkpoint."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.audit import ChainHead, KeepCheckpoint, KeptCheckpoint, ReadTimelineRoot, TimelineRoot
from gateway.checkpoints.publishing import Checkpoints
from gateway.submissions.receipts import Signer

AT = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)


class Office:
    """Answers for the services: how far their chains are, and the checkpoint that was kept."""

    def __init__(self, entries: int, cases: int) -> None:
        self.entries, self.cases = entries, cases
        self.kept = KeptCheckpoint()

    async def call(self, service: str, method: str, request: Any, answer: Any, patience: float | None = None) -> Any:
        if isinstance(request, KeepCheckpoint):
            self.kept = KeptCheckpoint(name=request.name, document=request.document)
        if isinstance(request, ReadTimelineRoot):
            return TimelineRoot(
                cases=self.cases, hash=hashlib.sha256(f"{request.bucket}{self.cases}".encode()).hexdigest()
            )
        return self.kept if answer is KeptCheckpoint else ChainHead(position=self.entries, hash="ab" * 32, at=AT)


def given_away(folder: Path, entries: int, cases: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The public checkpoint and the full one, as they say."""
    office = Office(entries, cases)
    made = Checkpoints(office, Signer(b"k" * 32), folder, lambda: AT)  # type: ignore[arg-type]  # it asks, and no more
    file = asyncio.run(made.make())
    public = json.loads(asyncio.run(made.latest_public()) or "")
    assert json.loads(file.with_suffix(".public.json").read_text()) == public
    assert json.loads(file.read_text())["payload"] == json.loads(office.kept.document or "")["payload"]
    return json.loads(public["payload"]), json.loads(json.loads(file.read_text())["payload"])


@pytest.mark.parametrize(("entries", "cases"), [(0, 0), (1, 0), (7, 3), (999_999, 4_000)])
def test_the_public_checkpoint_has_a_hash_and_no_count(tmp_path: Path, entries: int, cases: int) -> None:
    public, full = given_away(tmp_path, entries, cases)
    assert set(public) == {"type", "name", "made_at", "commitment"}
    assert len(public["commitment"]) == 64
    assert full["timelines"]["cases"] == 256 * cases
    assert full["audit"]["tracking"]["position"] == entries


def test_a_day_without_events_looks_like_any_other(tmp_path: Path) -> None:
    """The hash of two days differs, though all that was written is the same, and nobody can make it again from a guess."""
    checkpoints = [given_away(tmp_path / str(day), 7, 3) for day in range(3)]
    assert len({public["commitment"] for public, _ in checkpoints}) == 3
    assert len({full["salt"] for _, full in checkpoints}) == 3
    assert all({**full, "salt": ""} == {**checkpoints[0][1], "salt": ""} for _, full in checkpoints)


def test_no_checkpoint_is_served_before_the_first(tmp_path: Path) -> None:
    made = Checkpoints(Office(0, 0), Signer(b"k" * 32), tmp_path, lambda: AT)  # type: ignore[arg-type]  # it asks, and no more
    assert asyncio.run(made.latest_public()) is None
