"""Verifies every hash chain: the audit log of each service, and the timelines. `./peygir verify-history`, or in a deployment
`python -m deploy.verify_history`.

    --checkpoint FILE   also compares them with a signed checkpoint, full or public; several may be given, in any order. For
                        a public one the full one is taken from those given, or from tracking
    --key HEX           the published key that signed it (GET /v1/receipts/key); else RECEIPT_PUBLIC_KEYS or
                        RECEIPT_PRIVATE_KEY
    --case CASE_ID      one case's timeline and nothing else

Names the first broken link of each chain. Exit code 0: all are valid; 1: one is not; 2: wrong arguments.
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
    options = parser.parse_args(arguments)
    if options.case:
        return timelines.main(["--case", options.case])
    try:
        keys = [Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in options.key] or _keys_in_environment()
        signed = _full_checkpoints([_read(file, keys) for file in options.checkpoint])
    except (OSError, ValueError) as error:
        print(error)
        return 1
    broken = [_check_audit(service, signed) for service in AUDITED]
    rewritten = _rewritten_timelines(signed)
    for problem in rewritten:
        print(problem)
    return 1 if timelines.main([]) or rewritten or any(broken) else 0


def _read(file: Path, keys: Sequence[Ed25519PublicKey]) -> str:
    """The payload of a checkpoint; ValueError unless one of these keys signed exactly this."""
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


def _full_checkpoints(payloads: Sequence[str]) -> list[Checkpoint]:
    """The contents of these checkpoints, the oldest first. ValueError when there is no full checkpoint with the hash of a public
    one: it was changed or removed."""
    by_hash = {hashlib.sha256(payload.encode()).hexdigest(): payload for payload in payloads}
    by_name: dict[str, Checkpoint] = {}
    for payload in payloads:
        content = json.loads(payload)
        if content["type"] == "public_checkpoint":
            full = by_hash.get(content["commitment"]) or _stored_payload(content["name"])
            if full is None or hashlib.sha256(full.encode()).hexdigest() != content["commitment"]:
                why = "is not kept any more" if full is None else "is not the one that was published"
                raise ValueError(f"the full checkpoint {content['name']} {why}")
            content = json.loads(full)
        by_name[content["name"]] = content
    return sorted(by_name.values(), key=lambda checkpoint: str(checkpoint["made_at"]))


def _stored_payload(name: str) -> str | None:
    """The payload of a full checkpoint as tracking stored it."""
    with _snapshot("tracking") as connection:
        document = connection.execute(select(checkpoints.c.document).where(checkpoints.c.name == name)).scalar()
    try:
        return None if document is None else str(json.loads(document)["payload"])
    except (ValueError, KeyError, TypeError):
        return ""


def _keys_in_environment() -> list[Ed25519PublicKey]:
    encoded = [bytes.fromhex(key) for key in os.environ.get("RECEIPT_PUBLIC_KEYS", "").split(",") if key.strip()]
    keys = [Ed25519PublicKey.from_public_bytes(key) for key in encoded]
    if seed := os.environ.get("RECEIPT_PRIVATE_KEY"):
        keys.insert(0, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key())
    return keys


def _check_audit(service: str, signed: Sequence[Checkpoint]) -> bool:
    """Prints the state of one audit log; whether it is broken."""
    with _snapshot(service) as connection:
        chain = audit.verify(connection)
        problem = chain.problem or _rewritten_audit(connection, service, signed, chain.entries)
    print(f"{service} audit: {problem or f'{chain.entries} entries, the chain holds'}")
    return problem is not None


def _rewritten_audit(connection: Connection, service: str, signed: Sequence[Checkpoint], entries: int) -> str | None:
    """Where a chain that is valid in itself differs from a checkpoint; None where it does not."""
    last_good = 0
    for checkpoint in signed:
        head = checkpoint["audit"].get(service, {"position": 0})
        position, named = head["position"], f"the checkpoint {checkpoint['name']}"
        if position > entries:
            return f"it ends at entry {entries}, but {named} has seen entry {position}"
        if position and audit.hash_at(connection, position) != head["hash"]:
            return f"entry {position} is not the one that {named} has seen: written anew after entry {last_good}"
        last_good = position
    return None


def _rewritten_timelines(signed: Sequence[Checkpoint]) -> list[str]:
    """The groups of cases whose timelines differ from a checkpoint; each once, for the oldest checkpoint that differs."""
    problems: dict[str, str] = {}
    with _snapshot("tracking") as connection:
        for checkpoint in signed:
            until = datetime.fromisoformat(checkpoint["timelines"]["until"])
            for bucket, root in checkpoint["timelines"]["buckets"].items():
                if bucket not in problems and timeline_root(connection, bucket, until).hash != root:
                    problems[bucket] = (
                        f"tracking timelines: of a case whose id begins with {bucket} an entry before {until:%Y-%m-%d %H:%M}"
                        f" is not the one that the checkpoint {checkpoint['name']} has seen"
                    )
    return list(problems.values())


@contextmanager
def _snapshot(service: str) -> Iterator[Connection]:
    """A transaction with one snapshot of the database."""
    database = Database(url_of(service), pool_size=1, statement_timeout_ms=0)
    try:
        with database.engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")
    finally:
        database.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
