"""The audit log: who did or asked what, append-only and hash-chained, one for each service.

A command costs one INSERT, into `audit_waiting`, in its own transaction: it is there if, and only if, the command is. One
process at a time (advisory lock) moves what has been committed into `audit` and chains it: `position` grows by one, `hash`
covers the entry and the hash before it. Whatever commits late is chained late; no order of transactions leaves one out, since
what is chained is what was taken away from the waiting ones (docs/adr/0008-audit.md).

No text, name, mobile or code is in an entry; a citizen is in it as the case alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Identity,
    Index,
    MetaData,
    Row,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from backbone.process import logs
from backbone.process import traces as trace
from backbone.storage import bulk, hash_chain, writes
from backbone.storage.database import Database
from backbone.storage.writes import Write
from contracts.base import Request, now
from contracts.errors import PeygirError
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind

log = logs.get("audit")

DONE = "done"
BATCH_SIZE = 1_000
"""Entries that are chained in one transaction."""
_LOCK = 7_204_521  # any number, the same in every process

_metadata = MetaData()


def _entry_columns() -> list[Column[Any]]:
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


WAITING = Table("audit_waiting", _metadata, Column("seq", BigInteger, Identity(), primary_key=True), *_entry_columns())
CHAIN = Table(
    "audit",
    _metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    *_entry_columns(),
    Column("chained_at", DateTime(timezone=True), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    # The auditor's: what a person did, what was done to a case (the first that an entry is about).
    Index("audit_of_person", "actor_id", "position"),
    Index("audit_of_subject", text("(subjects[1])"), "position"),
)
_FIELDS = tuple(column.name for column in _entry_columns())

RequestT = TypeVar("RequestT", bound=Request)
AnswerT = TypeVar("AnswerT", bound=BaseModel)


# --- writing ---


AtOnce = Callable[[Connection, RequestT, Sequence[Write]], AnswerT | None]
"""A command in statements of its own, each a transaction: it writes what it is given along with its effect. None when it is to
be done in a transaction instead; then it has written nothing."""


def command(
    database: Database,
    work: Callable[[Connection, RequestT], AnswerT],
    request: RequestT,
    at_once: AtOnce[RequestT, AnswerT] | None = None,
) -> AnswerT:
    """`work(connection, request)` in one transaction with its entry. A refusal of staff is recorded, too, by the code of
    its error; one of a citizen changes nothing and is about nobody else. `at_once`: tried first."""
    if at_once is not None:
        # What it refuses, or finds done already, is the transaction's to judge.
        with suppress(PeygirError, IntegrityError), database.statements() as connection:
            answer = at_once(connection, request, write(request, DONE))
            if answer is not None:
                return answer
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


def write(request: Request, result: str) -> list[Write]:
    """The same as a part of a larger statement, of a request that names what it is about."""
    return writes.insert(WAITING, [_entry(_actor(request), name_of(request), _subjects(request), result)])


def note(connection: Connection, actor: Actor, what: str, subjects: Iterable[str], result: str = DONE) -> None:
    """One entry of what comes as no command: a sign-in."""
    bulk.insert(connection, WAITING, [_entry(actor, what, subjects, result)])


class Readings:
    """What staff read: kept in memory and written together, so that a reading costs no statement of its own.

    Of a process that is killed (-9) the readings of the last second or two are lost; one that is stopped writes them."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str, str], dict[str, Any]] = {}

    def note(self, actor: Actor, what: str, subject: UUID | None) -> None:
        """This member of staff has read this; of the same within a moment the first is kept."""
        if actor.kind is ActorKind.STAFF and subject is not None:
            entry = _entry(actor, what, [str(subject)], DONE) | {"at": now()}
            self._waiting.setdefault((actor.id, what, str(subject)), entry)

    def save(self, database: Database) -> int:
        """Writes what waits; how much. While the database does not take it, it goes on waiting."""
        waiting, self._waiting = self._waiting, {}
        if not waiting:
            return 0
        try:
            with database.transaction() as connection:
                bulk.insert(connection, WAITING, list(waiting.values()))
        except BaseException:
            self._waiting = waiting | self._waiting
            raise
        return len(waiting)


def _entry(actor: Actor, what: str, subjects: Iterable[str], result: str) -> dict[str, Any]:
    return {
        "actor_kind": actor.kind,
        "actor_id": actor.id if actor.kind is ActorKind.STAFF else None,
        "roles": sorted(actor.roles),
        "command": what,
        "subjects": list(subjects),
        "result": result,
        "trace_id": trace.trace_id(),
    }


def _note_refusal(database: Database, request: Request, code: str) -> None:
    try:
        with database.transaction() as connection:
            append(connection, request, code)
    except SQLAlchemyError as error:  # the caller gets the refusal itself
        log.warning("a refusal could not be noted", error=type(error).__name__)


def name_of(request: Request) -> str:
    """The inner command's type, such as assign; else the request's own name, such as open_identity."""
    command_type = getattr(getattr(request, "command", None), "type", None)
    return str(command_type) if command_type else re.sub(r"(?<!^)(?=[A-Z])", "_", type(request).__name__).lower()


def _actor(request: Request) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]  # every command names who gives it
    return actor


def _subjects(request: Request) -> list[str]:
    """What it is about: the ids in it, the case first; of a configuration the codes that it changes."""
    subjects = [*_ids(request), *_ids(getattr(request, "command", None))]
    for change in getattr(request, "changes", []):
        inner = next((value for _, value in change if isinstance(value, BaseModel)), change)
        subjects.append(":".join(filter(None, (change.change, getattr(inner, "code", None)))))
    if not subjects and isinstance(name := getattr(request, "name", None), str) and hasattr(request, "channel"):
        subjects = [f"{request.channel}:{name}"]
    return list(dict.fromkeys(subjects))


def _of_answer(answer: BaseModel | None) -> list[str]:
    """Of what was made by the command itself."""
    if answer is None:
        return []
    return _ids(answer)[:1] or [id_ for _, value in answer if isinstance(value, BaseModel) for id_ in _ids(value)][:1]


def _ids(contract: BaseModel | None) -> list[str]:
    ids: list[str] = []
    for name, value in contract or ():
        if name != "citizen_id":
            ids += [str(item) for item in (value if isinstance(value, list) else [value]) if isinstance(item, UUID)]
    return ids


# --- chaining ---


def link(database: Database, limit: int = BATCH_SIZE) -> int:
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
        position, previous = (last.position, last.hash) if last is not None else (0, hash_chain.FIRST_HASH)
        rows = []
        chained_at = now()
        for row in sorted(taken, key=lambda row: int(row.seq)):
            position += 1
            entry = {name: getattr(row, name) for name in _FIELDS} | {"chained_at": chained_at}
            own_hash = hash_of(previous, position, entry)
            rows.append(entry | {"position": position, "previous_hash": previous, "hash": own_hash})
            previous = own_hash
        bulk.insert(connection, CHAIN, rows)
        return len(rows)


def head(connection: Connection) -> Row[Any] | None:
    """The last link: position, hash, at."""
    query = select(CHAIN.c.position, CHAIN.c.hash, CHAIN.c.at).order_by(CHAIN.c.position.desc()).limit(1)
    return connection.execute(query).first()


def hash_of(previous_hash: str, position: int, entry: Mapping[str, Any]) -> str:
    """The hash of an entry, given by the names of its columns (backbone/storage/hash_chain.py)."""
    return hash_chain.hash_of(previous_hash, _content(position, entry))


def _content(position: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"position": position} | {name: entry[name] for name in (*_FIELDS, "chained_at")}


# --- verifying ---


def verify(connection: Connection) -> hash_chain.Verification:
    """Walks the whole log up to its first broken link. No transaction lives as long as `hash_chain.CLOCK_TOLERANCE`, so an
    entry that was chained late is not taken for one that is dated back."""
    return hash_chain.verify(
        hash_chain.Link(row.position, row.at, _content(row.position, dict(row._mapping)), row.previous_hash, row.hash)
        for row in _walk(connection)
    )


def hash_at(connection: Connection, position: int) -> str | None:
    """The hash that stands at a position; None behind the end."""
    return connection.execute(select(CHAIN.c.hash).where(CHAIN.c.position == position)).scalar()


def _walk(connection: Connection, page: int = 5_000) -> Iterator[Row[Any]]:
    after = -(2**62)  # before whatever somebody may have put in front
    query = select(CHAIN).where(CHAIN.c.position > bindparam("after")).order_by(CHAIN.c.position).limit(page)
    while rows := connection.execute(query, {"after": after}).all():
        yield from rows
        after = rows[-1].position
