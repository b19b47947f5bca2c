"""Walks every chain: the audit log of each service, and the timelines. `./peygir verify-history`, or in a deployment
`python -m deploy.verify_history`.

    --checkpoint FILE   also holds them against a signed checkpoint, a full or a public one; several may be given, they are
                        taken by age. Of a public one the full one is taken from those given, or as tracking kept it
    --key HEX           the published key that signed it (GET /v1/receipts/key); else RECEIPT_PUBLIC_KEYS or
                        RECEIPT_PRIVATE_KEY
    --case CASE_ID      one case's timeline and nothing else

Names the first broken link of each chain. Exit code 0: all hold; 1: one does not; 2: a wrong call.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, select

from backbone.storage import audit
from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from contracts.audit import AUDITED
from services.tracking.case import verify_history as timelines
from services.tracking.case.checkpoints import timeline_root
from services.tracking.models import checkpoints

Checkpoint = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./peygir verify-history")
    parser.add_argument("--case", metavar="CASE_ID", help="one case's timeline and nothing else")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--key", action="append", default=[], metavar="HEX", help="the key that signed the checkpoint")
    given = parser.parse_args(arguments)
    if given.case:
        return timelines.main(["--case", given.case])
    try:
        keys = [Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in given.key] or _known_keys()
        signed = _full([_read(file, keys) for file in given.checkpoint])
    except (OSError, ValueError) as error:
        print(error)
        return 1
    broken = [_audit(service, signed) for service in AUDITED]
    rewritten = _rewritten_timelines(signed)
    for problem in rewritten:
        print(problem)
    return 1 if timelines.main([]) or rewritten or any(broken) else 0


def _read(file: Path, keys: Sequence[Ed25519PublicKey]) -> str:
    """The payload of a checkpoint; ValueError unless one of these keys signed just this."""
    try:
        document = json.loads(file.read_text())
        payload, signature = document["payload"].encode(), base64.b64decode(document["signature"], validate=True)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{file}: this is no checkpoint") from None
    for key in keys:
        try:
            key.verify(signature, payload)
        except InvalidSignature:
            continue
        if json.loads(payload).get("type") not in ("checkpoint", "public_checkpoint"):
            raise ValueError(f"{file}: signed, but no checkpoint")
        return str(document["payload"])
    raise ValueError(f"{file}: not signed with {'this key' if keys else 'a key that is known here; give it by --key'}")


def _full(payloads: Sequence[str]) -> list[Checkpoint]:
    """What these checkpoints say, the oldest first. ValueError when of a public one there is no full one any more that has
    its hash: it was changed, or taken away."""
    by_hash = {hashlib.sha256(payload.encode()).hexdigest(): payload for payload in payloads}
    found: dict[str, Checkpoint] = {}
    for payload in payloads:
        told = json.loads(payload)
        if told["type"] == "public_checkpoint":
            full = by_hash.get(told["commitment"]) or _kept(told["name"])
            if full is None or hashlib.sha256(full.encode()).hexdigest() != told["commitment"]:
                why = "is not kept any more" if full is None else "is not the one that was published"
                raise ValueError(f"the full checkpoint {told['name']} {why}")
            told = json.loads(full)
        found[told["name"]] = told
    return sorted(found.values(), key=lambda one: str(one["made_at"]))


def _kept(name: str) -> str | None:
    """The payload of a full checkpoint as tracking kept it."""
    with _snapshot("tracking") as connection:
        document = connection.execute(select(checkpoints.c.document).where(checkpoints.c.name == name)).scalar()
    try:
        return None if document is None else str(json.loads(document)["payload"])
    except (ValueError, KeyError, TypeError):
        return ""


def _known_keys() -> list[Ed25519PublicKey]:
    found = [bytes.fromhex(key) for key in os.environ.get("RECEIPT_PUBLIC_KEYS", "").split(",") if key.strip()]
    keys = [Ed25519PublicKey.from_public_bytes(key) for key in found]
    if seed := os.environ.get("RECEIPT_PRIVATE_KEY"):
        keys.insert(0, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key())
    return keys


def _audit(service: str, signed: Sequence[Checkpoint]) -> bool:
    """Says how one audit log is; whether it is broken."""
    with _snapshot(service) as connection:
        chain = audit.verify(connection)
        problem = chain.problem or _rewritten_audit(connection, service, signed, chain.entries)
    print(f"{service} audit: {problem or f'{chain.entries} entries, the chain holds'}")
    return problem is not None


def _rewritten_audit(connection: Connection, service: str, signed: Sequence[Checkpoint], walked: int) -> str | None:
    """Where a chain that holds in itself is another one than a checkpoint has seen."""
    good = 0
    for one in signed:
        seen = one["audit"].get(service, {"position": 0})
        position, named = seen["position"], f"the checkpoint {one['name']}"
        if position > walked:
            return f"it ends at entry {walked}, but {named} has seen entry {position}"
        if position and audit.hash_at(connection, position) != seen["hash"]:
            return f"entry {position} is not the one that {named} has seen: written anew after entry {good}"
        good = position
    return None


def _rewritten_timelines(signed: Sequence[Checkpoint]) -> list[str]:
    """Of which cases the timelines are others than a checkpoint has seen; said once, for the oldest that differs."""
    found: dict[str, str] = {}
    with _snapshot("tracking") as connection:
        for one in signed:
            until = datetime.fromisoformat(one["timelines"]["until"])
            for bucket, seen in one["timelines"]["buckets"].items():
                if bucket not in found and timeline_root(connection, bucket, until).hash != seen:
                    found[bucket] = (
                        f"tracking timelines: of a case whose id begins with {bucket} an entry before {until:%Y-%m-%d %H:%M}"
                        f" is not the one that the checkpoint {one['name']} has seen"
                    )
    return list(found.values())


@contextmanager
def _snapshot(service: str) -> Iterator[Connection]:
    """One transaction that sees one moment: what is written meanwhile is seen whole or not at all."""
    database = Database(url_of(service), pool_size=1, statement_timeout_ms=0)
    try:
        with database.engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")
    finally:
        database.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
