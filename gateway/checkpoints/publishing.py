"""Checkpoints: once a day, and by `python -m gateway.checkpoints.publishing`, the heads of all chains, signed with the
receipts' key.

There are two files of each. The full one, with hashes, counts and times, stays with the office. The public one holds the
SHA-256 of the full one, which a random salt makes another one each day, and nothing else: not even whether anything happened
since the day before. Whoever was given it can show later that what came before was rewritten, be it by somebody who has the
databases: chains can be made anew, our signature of that day cannot.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import random
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from backbone.process import logs
from backbone.process.settings import load, secret, secrets
from contracts.audit import (
    AUDITED,
    ChainHead,
    KeepCheckpoint,
    KeptCheckpoint,
    ReadChainHead,
    ReadLatestCheckpoint,
    ReadTimelineRoot,
    TimelineRoot,
)
from contracts.base import now
from contracts.errors import PeygirError
from gateway.rabbit.client import RabbitClient
from gateway.settings import Settings
from gateway.submissions.receipts import Signer

log = logs.get("checkpoints")

SETTLED = timedelta(minutes=10)
"""What was written so long ago is committed or never will be: no transaction lives so long."""
LOOKED = 600.0
"""Seconds between two looks whether today's is there."""
BUCKETS = tuple(f"{number:02x}" for number in range(256))


class Checkpoints:
    """Makes them, and keeps them in a folder; several gateways come away with the same file."""

    def __init__(self, rabbit: RabbitClient, signer: Signer, folder: Path, clock: Callable[[], datetime] = now) -> None:
        self._bus, self._signer, self._folder, self._clock = rabbit, signer, folder, clock

    async def latest(self) -> KeptCheckpoint:
        """The newest full one."""
        return await self._bus.ask("tracking", "read_latest_checkpoint", ReadLatestCheckpoint(), KeptCheckpoint)

    async def latest_public(self) -> str | None:
        """The newest public one; None when there is none yet."""
        kept = await self.latest()
        return None if kept.document is None else public_of(kept.document, self._signer)

    async def make(self, name: str | None = None) -> Path:
        """A new one, named by its moment, or the one of this name; where it lies. Unavailable, DeadlinePassed."""
        moment = self._clock()
        told = await self._told(name or moment.strftime("%Y-%m-%dT%H%M%SZ"), moment)
        keep = KeepCheckpoint(name=told["name"], document=_signed(told, self._signer))
        return self._written(await self._bus.ask("tracking", "keep_checkpoint", keep, KeptCheckpoint))

    async def every_day(self) -> None:
        """Until it is cancelled. In its first minute a process has more urgent things to do."""
        await asyncio.sleep(random.uniform(60, 120))  # noqa: S311  # so that several gateways do not all begin at once
        while True:
            try:
                await self.of_today()
            except (PeygirError, OSError) as error:
                log.warning("there is no checkpoint yet", error=type(error).__name__)
            await asyncio.sleep(LOOKED)

    async def of_today(self) -> Path:
        """Today's file in our folder, made if nobody has."""
        today, kept = self._clock().strftime("%Y-%m-%d"), await self.latest()
        if kept.name is None or kept.name[:10] < today:
            return await self.make(today)
        return self._written(kept)

    async def _told(self, name: str, moment: datetime) -> dict[str, Any]:
        until = moment - SETTLED
        heads = {
            service: await self._bus.ask(service, "read_chain_head", ReadChainHead(), ChainHead) for service in AUDITED
        }
        roots = {
            bucket: await self._bus.ask(
                "tracking", "read_timeline_root", ReadTimelineRoot(bucket=bucket, until=until), TimelineRoot
            )
            for bucket in BUCKETS
        }
        return {
            "type": "checkpoint",
            "name": name,
            "made_at": moment.isoformat(),
            "salt": os.urandom(32).hex(),
            "audit": {service: head.model_dump(mode="json") for service, head in heads.items()},
            "timelines": {
                "until": until.isoformat(),
                "cases": sum(root.cases for root in roots.values()),
                "root": hashlib.sha256("".join(root.hash for root in roots.values()).encode()).hexdigest(),
                "buckets": {bucket: root.hash for bucket, root in roots.items()},
            },
        }

    def _written(self, kept: KeptCheckpoint) -> Path:
        """Both files, each whole or not at all, and never twice; where the full one lies."""
        assert kept.name is not None
        assert kept.document is not None
        file = self._folder / f"peygir-checkpoint-{kept.name}.json"
        public = self._folder / f"peygir-checkpoint-{kept.name}.public.json"
        _write_once(public, public_of(kept.document, self._signer))
        _write_once(file, kept.document)
        return file


def public_of(document: str, signer: Signer) -> str:
    """What may be given away of a full checkpoint: its name, its moment and the hash of all of it, signed."""
    payload: str = json.loads(document)["payload"]
    told = json.loads(payload)
    commitment = hashlib.sha256(payload.encode()).hexdigest()
    public = {"type": "public_checkpoint", "name": told["name"], "made_at": told["made_at"], "commitment": commitment}
    return _signed(public, signer)


def _signed(told: dict[str, Any], signer: Signer) -> str:
    payload = json.dumps(told, sort_keys=True, separators=(",", ":"))
    signature = base64.b64encode(signer.signature(payload.encode())).decode()
    return json.dumps({"payload": payload, "signature": signature, "key": signer.key_id})


def _write_once(file: Path, content: str) -> None:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(content)
        draft.replace(file)


def folder_of(settings: Settings) -> Path:
    """Where checkpoints lie: CHECKPOINT_DIR, or beside the catalogue's copy."""
    return settings.checkpoint_dir or settings.gateway_state_dir / "checkpoints"


async def _once(settings: Settings) -> Path:
    rabbit = RabbitClient(settings.amqp_url.get_secret_value(), name="checkpoint", rpc_timeout=30.0)
    ready = asyncio.Event()

    async def note() -> None:
        ready.set()

    rabbit.on_connect(note)
    await rabbit.start()
    try:
        async with asyncio.timeout(30):
            await ready.wait()
        earlier = secrets(settings.receipt_public_keys) if settings.receipt_public_keys else []
        signer = Signer(secret(settings.receipt_private_key), earlier)
        return await Checkpoints(rabbit, signer, folder_of(settings)).make()
    finally:
        with contextlib.suppress(PeygirError):
            await rabbit.stop()


def main() -> int:
    """Makes one now and says where the full file lies; 1 when a service does not answer."""
    logs.configure("checkpoints", "error")  # standard output says where it lies and no more
    try:
        print(asyncio.run(_once(load(Settings))))
    except (PeygirError, TimeoutError, OSError) as error:
        print(f"there is no checkpoint: {getattr(error, 'code', type(error).__name__)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
