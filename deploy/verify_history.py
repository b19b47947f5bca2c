"""Walks every chain: the audit log of each service, and the timelines. `./peygir verify-history`, or in a deployment
`python -m deploy.verify_history`.

    --checkpoint FILE   also holds them against a signed checkpoint; several may be given, they are taken by age
    --key HEX           the published key that signed it (GET /v1/receipts/key); else RECEIPT_PUBLIC_KEYS or
                        RECEIPT_PRIVATE_KEY
    --case CASE_ID      one case's timeline and nothing else

Names the first broken link of each chain. Exit code 0: all hold; 1: one does not; 2: a wrong call.
"""

from __future__ import annotations

import argparse
import base64
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
from sqlalchemy import Connection

from backbone import audit
from backbone.database import Database
from backbone.migrate import url_of
from contracts.audit import AUDITED
from services.tracking import verify_history as timelines
from services.tracking.checkpoints import timeline_root

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
        checkpoints = sorted((_read(file, keys) for file in given.checkpoint), key=lambda one: str(one["made_at"]))
    except (OSError, ValueError) as error:
        print(error)
        return 1
    broken = [_audit(service, checkpoints) for service in AUDITED]
    rewritten = _rewritten_timelines(checkpoints)
    for problem in rewritten:
        print(problem)
    return 1 if timelines.main([]) or rewritten or any(broken) else 0


def _read(file: Path, keys: Sequence[Ed25519PublicKey]) -> Checkpoint:
    """What a checkpoint says; ValueError unless one of these keys signed just this."""
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
        told: Checkpoint = json.loads(payload)
        if told.get("type") != "checkpoint":
            raise ValueError(f"{file}: signed, but no checkpoint")
        return told
    raise ValueError(f"{file}: not signed with {'this key' if keys else 'a key that is known here; give it by --key'}")


def _known_keys() -> list[Ed25519PublicKey]:
    found = [bytes.fromhex(key) for key in os.environ.get("RECEIPT_PUBLIC_KEYS", "").split(",") if key.strip()]
    keys = [Ed25519PublicKey.from_public_bytes(key) for key in found]
    if seed := os.environ.get("RECEIPT_PRIVATE_KEY"):
        keys.insert(0, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key())
    return keys


def _audit(service: str, checkpoints: Sequence[Checkpoint]) -> bool:
    """Says how one audit log is; whether it is broken."""
    with _snapshot(service) as connection:
        walked, problem = audit.first_break(connection)
        problem = problem or _rewritten_audit(connection, service, checkpoints, walked)
    print(f"{service} audit: {problem or f'{walked} entries, the chain holds'}")
    return problem is not None


def _rewritten_audit(
    connection: Connection, service: str, checkpoints: Sequence[Checkpoint], walked: int
) -> str | None:
    """Where a chain that holds in itself is another one than a checkpoint has seen."""
    good = 0
    for one in checkpoints:
        seen = one["audit"].get(service, {"position": 0})
        position, named = seen["position"], f"the checkpoint {one['name']}"
        if position > walked:
            return f"it ends at entry {walked}, but {named} has seen entry {position}"
        if position and audit.hash_at(connection, position) != seen["hash"]:
            return f"entry {position} is not the one that {named} has seen: written anew after entry {good}"
        good = position
    return None


def _rewritten_timelines(checkpoints: Sequence[Checkpoint]) -> list[str]:
    """Of which cases the timelines are others than a checkpoint has seen; said once, for the oldest that differs."""
    found: dict[str, str] = {}
    with _snapshot("tracking") as connection:
        for one in checkpoints:
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
