"""The audit log: who did or asked what, append-only and hash-chained, one for each service.

A command costs one INSERT, into `audit_waiting`, in its own transaction: it is there if, and only if, the command is. One
process at a time (advisory lock) moves what has been committed into `audit` and chains it: `position` grows by one, `hash`
covers the entry and the hash before it. Whatever commits late is chained late; no order of transactions leaves one out, since
what is chained is what was taken away from the waiting ones (docs/adr/0008-audit.md).

No text, name, mobile or code is in an entry; a citizen is in it as the case alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Identity,
    MetaData,
    Row,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError

from backbone.process import logs
from backbone.process import traces as trace
from backbone.storage.database import Database
from contracts.base import Request, now
from contracts.errors import PeygirError
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind

log = logs.get("audit")

FIRST = "0" * 64
"""What the first entry is chained to."""
DONE = "done"
MOST = 1_000
"""Entries that are chained in one transaction."""
BACK_DATED = timedelta(minutes=10)
"""No transaction lives so long: an entry that is older than one before it by more was not written when it says."""
_LOCK = 7_204_521  # any number, the same in every process

_metadata = MetaData()


def _told() -> list[Column[Any]]:
    return [
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
        Column("actor_kind", String, nullable=False),
        Column("actor_id", String),  # of staff alone
        Column("roles", ARRAY(String), nullable=False),
        Column("command", String, nullable=False),
        Column("subjects", ARRAY(String), nullable=False),
        Column("result", String, nullable=False),  # done, or the code of the error
        Column("trace_id", String),
    ]


WAITING = Table("audit_waiting", _metadata, Column("seq", BigInteger, Identity(), primary_key=True), *_told())
CHAIN = Table(
    "audit",
    _metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    *_told(),
    Column("chained_at", DateTime(timezone=True), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
_FIELDS = tuple(column.name for column in _told())
_ADD = WAITING.insert()
_APPEND = CHAIN.insert()

Asked = TypeVar("Asked", bound=Request)
Answered = TypeVar("Answered", bound=BaseModel)


# --- writing ---


def command(database: Database, work: Callable[[Connection, Asked], Answered], request: Asked) -> Answered:
    """`work(connection, request)` in one transaction with its entry. What staff were refused is noted, too, by its error's
    code; what a citizen was refused changes nothing and tells of nobody."""
    try:
        with database.transaction() as connection:
            answer = work(connection, request)
            append(connection, request, DONE, answer)
            return answer
    except PeygirError as error:
        if _actor(request).kind is ActorKind.STAFF:
            _note_refusal(database, request, error.code)
        raise


def append(connection: Connection, request: Request, result: str, answer: BaseModel | None = None) -> None:
    """One entry, if this transaction commits. Last in it: nothing waits for it, and it waits for nothing."""
    note(connection, _actor(request), name_of(request), _subjects(request) or _of_answer(answer), result)


def note(connection: Connection, actor: Actor, what: str, subjects: Iterable[str], result: str = DONE) -> None:
    """One entry of what comes as no command: a sign-in."""
    connection.execute(
        _ADD,
        {
            "actor_kind": actor.kind,
            "actor_id": actor.id if actor.kind is ActorKind.STAFF else None,
            "roles": sorted(actor.roles),
            "command": what,
            "subjects": list(subjects),
            "result": result,
            "trace_id": trace.trace_id(),
        },
    )


def _note_refusal(database: Database, request: Request, code: str) -> None:
    try:
        with database.transaction() as connection:
            append(connection, request, code)
    except SQLAlchemyError as error:  # the refusal itself is what the caller has to hear
        log.warning("a refusal could not be noted", error=type(error).__name__)


def name_of(request: Request) -> str:
    """The inner command's type, such as assign; else the request's own name, such as open_identity."""
    inner = getattr(request, "command", None)
    told = getattr(inner, "type", None)
    return str(told) if told else re.sub(r"(?<!^)(?=[A-Z])", "_", type(request).__name__).lower()


def _actor(request: Request) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]  # every command names who gives it
    return actor


def _subjects(request: Request) -> list[str]:
    """What it is about: the ids in it, the case first; of a configuration the codes that it changes."""
    found = [*_ids(request), *_ids(getattr(request, "command", None))]
    for change in getattr(request, "changes", []):
        inner = next((value for _, value in change if isinstance(value, BaseModel)), change)
        found.append(":".join(filter(None, (change.change, getattr(inner, "code", None)))))
    if not found and isinstance(name := getattr(request, "name", None), str) and hasattr(request, "channel"):
        found = [f"{request.channel}:{name}"]
    return list(dict.fromkeys(found))


def _of_answer(answer: BaseModel | None) -> list[str]:
    """Of what was made by the command itself."""
    if answer is None:
        return []
    return _ids(answer)[:1] or [one for _, value in answer if isinstance(value, BaseModel) for one in _ids(value)][:1]


def _ids(told: BaseModel | None) -> list[str]:
    found: list[str] = []
    for name, value in told or ():
        if name != "citizen_id":
            found += [str(one) for one in (value if isinstance(value, list) else [value]) if isinstance(one, UUID)]
    return found


# --- chaining ---


def link(database: Database, limit: int = MOST) -> int:
    """Chains up to `limit` waiting entries, in the order in which they were begun; how many. None while another does."""
    with database.read() as connection:
        if connection.execute(select(WAITING.c.seq).limit(1)).first() is None:
            return 0
    with database.transaction() as connection:
        alone = func.pg_try_advisory_xact_lock(_LOCK)
        if not connection.execute(select(alone, func.set_config("peygir.chaining", "on", True))).one()[0]:
            return 0
        first = select(WAITING.c.seq).order_by(WAITING.c.seq).limit(limit)
        taken = connection.execute(delete(WAITING).where(WAITING.c.seq.in_(first)).returning(WAITING)).all()
        if not taken:
            return 0
        last = head(connection)
        position, previous = (last.position, last.hash) if last is not None else (0, FIRST)
        rows = []
        chained_at = now()
        for row in sorted(taken, key=lambda row: int(row.seq)):
            position += 1
            told = {name: getattr(row, name) for name in _FIELDS} | {"chained_at": chained_at}
            own = hash_of(previous, position, told)
            rows.append(told | {"position": position, "previous_hash": previous, "hash": own})
            previous = own
        connection.execute(_APPEND, rows)
        return len(rows)


def head(connection: Connection) -> Row[Any] | None:
    """The last link: position, hash, at."""
    query = select(CHAIN.c.position, CHAIN.c.hash, CHAIN.c.at).order_by(CHAIN.c.position.desc()).limit(1)
    return connection.execute(query).first()


def hash_of(previous: str, position: int, told: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and the entry's canonical JSON (sorted keys, no spaces, UTF-8), hex."""
    canonical = json.dumps(
        {"position": position} | {name: _plain(told[name]) for name in (*_FIELDS, "chained_at")},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(previous.encode() + canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


# --- verifying ---


def first_break(connection: Connection) -> tuple[int, str | None]:
    """(entries walked, what is wrong at the first broken link or None)."""
    expected, newest, walked = FIRST, None, 0
    for row in _walk(connection):
        if row.position != walked + 1:
            return walked, f"entry {walked + 1} is missing"
        walked += 1
        if row.previous_hash != expected:
            return walked, f"entry {walked} is not chained to the one before it"
        if hash_of(expected, walked, dict(row._mapping)) != row.hash:
            return walked, f"entry {walked} is not what was written"
        if newest is not None and newest - row.at > BACK_DATED:
            return walked, f"entry {walked} is dated back: it says {_plain(row.at)}, behind one of {_plain(newest)}"
        newest = row.at if newest is None else max(newest, row.at)
        expected = row.hash
    return walked, None


def hash_at(connection: Connection, position: int) -> str | None:
    """The hash that stands at a position; None behind the end."""
    return connection.execute(select(CHAIN.c.hash).where(CHAIN.c.position == position)).scalar()


def _walk(connection: Connection, page: int = 5_000) -> Iterator[Row[Any]]:
    after = -(2**62)  # before whatever somebody may have put in front
    query = select(CHAIN).where(CHAIN.c.position > bindparam("after")).order_by(CHAIN.c.position).limit(page)
    while rows := connection.execute(query, {"after": after}).all():
        yield from rows
        after = rows[-1].position
