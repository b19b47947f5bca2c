"""Checkpoints: once a day, and by `python -m gateway.checkpoints.publishing`, the heads of all chains, signed with the
receipts' key.

There are two files of each. The full one, with hashes, counts and times, stays with the office. The public one contains the
SHA-256 of the full one, which differs each day by a random salt, and nothing else: not even whether anything happened since
the day before. Whoever received it can prove later that earlier records were rewritten, even by somebody who has the
databases: chains can be recomputed, the signature of that day cannot.
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
"""What was written before that is committed, or never will be: no transaction runs so long."""
CHECK_SECONDS = 600.0
"""Between two checks whether today's checkpoint exists."""
BUCKETS = tuple(f"{number:02x}" for number in range(256))


class Checkpoints:
    """Makes checkpoints and writes them to a folder; several gateways write the same file."""

    def __init__(self, rabbit: RabbitClient, signer: Signer, folder: Path, clock: Callable[[], datetime] = now) -> None:
        self._rabbit, self._signer, self._folder, self._clock = rabbit, signer, folder, clock

    async def latest(self) -> KeptCheckpoint:
        """The newest full one."""
        return await self._rabbit.call("tracking", "read_latest_checkpoint", ReadLatestCheckpoint(), KeptCheckpoint)

    async def latest_public(self) -> str | None:
        """The newest public one; None when there is none yet."""
        latest = await self.latest()
        return None if latest.document is None else public_document(latest.document, self._signer)

    async def make(self, name: str | None = None) -> Path:
        """A new checkpoint, named by its moment, or the one of this name; the path of its file.
        Raises Unavailable, DeadlinePassed."""
        moment = self._clock()
        content = await self._content(name or moment.strftime("%Y-%m-%dT%H%M%SZ"), moment)
        keep = KeepCheckpoint(name=content["name"], document=_sign(content, self._signer))
        return self._write(await self._rabbit.call("tracking", "keep_checkpoint", keep, KeptCheckpoint))

    async def run_daily(self) -> None:
        """Makes each day's checkpoint until it is cancelled, beginning after the start of the process."""
        await asyncio.sleep(random.uniform(60, 120))  # noqa: S311  # so that several gateways do not begin at the same time
        while True:
            try:
                await self.ensure_today()
            except (PeygirError, OSError) as error:
                log.warning("today's checkpoint could not be made yet", error=type(error).__name__)
            await asyncio.sleep(CHECK_SECONDS)

    async def ensure_today(self) -> Path:
        """Today's file in the folder; made if no gateway has made it."""
        today, latest = self._clock().strftime("%Y-%m-%d"), await self.latest()
        if latest.name is None or latest.name[:10] < today:
            return await self.make(today)
        return self._write(latest)

    async def _content(self, name: str, moment: datetime) -> dict[str, Any]:
        until = moment - SETTLED
        heads = {
            service: await self._rabbit.call(service, "read_chain_head", ReadChainHead(), ChainHead)
            for service in AUDITED
        }
        roots = {
            bucket: await self._rabbit.call(
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

    def _write(self, checkpoint: KeptCheckpoint) -> Path:
        """Writes both files, each atomically and only once; the path of the full one."""
        assert checkpoint.name is not None
        assert checkpoint.document is not None
        file = self._folder / f"peygir-checkpoint-{checkpoint.name}.json"
        public = self._folder / f"peygir-checkpoint-{checkpoint.name}.public.json"
        _write_once(public, public_document(checkpoint.document, self._signer))
        _write_once(file, checkpoint.document)
        return file


def public_document(document: str, signer: Signer) -> str:
    """What may be published of a full checkpoint: its name, its moment and its hash, signed."""
    payload: str = json.loads(document)["payload"]
    content = json.loads(payload)
    commitment = hashlib.sha256(payload.encode()).hexdigest()
    public = {
        "type": "public_checkpoint",
        "name": content["name"],
        "made_at": content["made_at"],
        "commitment": commitment,
    }
    return _sign(public, signer)


def _sign(content: dict[str, Any], signer: Signer) -> str:
    payload = json.dumps(content, sort_keys=True, separators=(",", ":"))
    signature = base64.b64encode(signer.signature(payload.encode())).decode()
    return json.dumps({"payload": payload, "signature": signature, "key": signer.key_id})


def _write_once(file: Path, content: str) -> None:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(content)
        temporary.replace(file)


def checkpoint_folder(settings: Settings) -> Path:
    """CHECKPOINT_DIR, or a folder beside the catalogue's copy."""
    return settings.checkpoint_dir or settings.gateway_state_dir / "checkpoints"


async def _make_one(settings: Settings) -> Path:
    rabbit = RabbitClient(settings.amqp_url.get_secret_value(), name="checkpoint", rpc_timeout=30.0)
    ready = asyncio.Event()

    async def set_ready() -> None:
        ready.set()

    rabbit.add_connect_listener(set_ready)
    await rabbit.start()
    try:
        async with asyncio.timeout(30):
            await ready.wait()
        earlier = secrets(settings.receipt_public_keys) if settings.receipt_public_keys else []
        signer = Signer(secret(settings.receipt_private_key), earlier)
        return await Checkpoints(rabbit, signer, checkpoint_folder(settings)).make()
    finally:
        with contextlib.suppress(PeygirError):
            await rabbit.stop()


def main() -> int:
    """Makes a checkpoint now and prints the path of the full file; 1 when a service does not answer."""
    logs.configure("checkpoints", "error")  # standard output has the path alone
    try:
        print(asyncio.run(_make_one(load(Settings))))
    except (PeygirError, TimeoutError, OSError) as error:
        print(f"there is no checkpoint: {getattr(error, 'code', type(error).__name__)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
