"""Intake as its tests meet it: its keys, its processes, its database laid open, and submissions as the gateway sends them."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from backbone import sealing
from contracts import tracking_codes
from contracts.base import now
from contracts.gateway import Actor, Contact, FileSubmission, Identity
from contracts.intake import CheckReceipt, OpenedIdentity, OpenIdentity, ReceiptState
from contracts.vocabulary import ActorKind, Channel, Kind, Language, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.processes import BrokerClient, ServiceProcess, eventually, prepared, run_module

UNIT, CLOSED_UNIT, ROOT_UNIT = "dep.urb.permits", "org.cul.houses", "mq"
NAME = "شاکی نمونه"
REGISTERED, RECODED = "submission.registered.v1", "submission.recoded.v1"

KEEP_OUTBOX = """
CREATE TABLE outbox_ever (LIKE outbox);
CREATE FUNCTION keep_outbox() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO outbox_ever SELECT NEW.*; RETURN NEW; END $$;
CREATE TRIGGER keep_outbox AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION keep_outbox();
"""
"""What was in the outbox stays to be looked at after the relay has taken it away."""


def key_of(value: str) -> bytes:
    return bytes.fromhex(value.split(",")[0])


@dataclass
class Office:
    """One intake with a database of its own, and any number of processes."""

    environment: dict[str, str]
    folder: Path
    processes: list[ServiceProcess] = field(default_factory=list)

    @classmethod
    def open(cls, broker: RabbitMQ, postgres: PostgreSQL, folder: Path, database: str) -> Office:
        """With the sample catalogue; no process runs yet."""
        office = cls(prepared("intake", broker.url, postgres.url, database), folder)
        office.sql(KEEP_OUTBOX)
        office.run("catalogue.seed")
        return office

    @classmethod
    @contextmanager
    def running(cls, broker: RabbitMQ, postgres: PostgreSQL, folder: Path, database: str) -> Iterator[Office]:
        """With one process, for the tests that end no process."""
        office = cls.open(broker, postgres, folder, database)
        office.start()
        yield office
        office.close()

    # --- its processes ---

    def start(self, ready: bool = True) -> ServiceProcess:
        process = ServiceProcess("intake", self.environment, self.folder / f"{len(self.processes)}.log")
        self.processes.append(process)
        return process.start(ready)

    def close(self) -> None:
        for process in self.processes:
            process.kill()

    def run(self, command: str, *arguments: str) -> str:
        """What one of intake's commands says."""
        done = run_module(f"services.intake.{command}", *arguments, environment=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """What is published meanwhile lies ready for its processes when they wake, and is taken in batches."""
        running = [process.process for process in self.processes if process.process and process.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in running:
                process.send_signal(signal.SIGCONT)

    # --- what it keeps ---

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"].replace("+psycopg", ""), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def number(self, table: str, ids: Sequence[UUID]) -> int:
        """How many rows of these submissions are there."""
        return int(self.sql(f"SELECT count(*) FROM {table} WHERE submission_id = ANY(%s)", list(ids))[0][0])

    def stored(self, *commands: FileSubmission, timeout: float = 20) -> None:
        """Waits until they are in the database; each must be there once."""
        ids = [command.submission_id for command in commands]
        eventually(lambda: self.number("submissions", ids) >= len(set(ids)), timeout=timeout)
        assert self.number("submissions", ids) == len(set(ids))

    def dump(self) -> str:
        """All that lies in the database, as text; bytes once as they are and once in hex."""
        pages: list[str] = []
        tables = self.sql("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        for (table,) in tables:
            pages.append(f"--- {table}")
            for row in self.sql(f"SELECT * FROM {table}"):
                for value in row:
                    if isinstance(value, bytes):
                        pages += [value.decode("utf-8", "replace"), value.hex()]
                    else:
                        pages.append(json.dumps(value, ensure_ascii=False, default=str))
        return "\n".join(pages)

    # --- what the gateway does ---

    def new_code(self) -> str:
        return tracking_codes.mint([key_of(self.environment["CODE_MAC_KEYS"])])

    def hash_of(self, code: str) -> str:
        return tracking_codes.hashes(code, [key_of(self.environment["CODE_INDEX_KEYS"])])[0]

    def submission(self, code: str = "", identity: Identity | None = None, **more: Any) -> FileSubmission:
        """As the gateway makes it; anonymous without `identity`."""
        code = code or self.new_code()
        mobile = identity.mobile if identity else None
        contact = Contact(mobile=mobile, code=code)
        to_intake, to_notify = (key_of(self.environment[f"{who}_PUBLIC_KEY"]) for who in ("INTAKE", "NOTIFY"))
        fields = {
            "submission_id": uuid4(),
            "code_hash": self.hash_of(code),
            "kind": Kind.COMPLAINT if identity else Kind.INFORMATION,
            "unit": UNIT,
            "ground": "delay",
            "text": "پرونده از بهار مانده است",
            "channel": Channel.WEB,
            "language": Language.FA,
            "filed_at": now(),
            "sealed_identity": sealing.seal(identity, to_intake) if identity else None,
            "sealed_contact": sealing.seal(contact, to_notify) if mobile else None,
            "mobile_hash": (
                sealing.keyed_hash(mobile, key_of(self.environment["MOBILE_INDEX_KEY"])) if mobile else None
            ),
            "content_hash": "ab" * 32,
        }
        return FileSubmission(**(fields | more))

    # --- what others read ---

    def contact_in(self, sealed: str) -> Contact:
        """As notify opens it."""
        return sealing.unseal(sealed, Contact, [key_of(self.environment["NOTIFY_PRIVATE_KEYS"])])

    def identity_of(self, broker_client: BrokerClient, case_id: UUID, *roles: Role) -> Identity:
        """As the head opens it."""
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset(roles or {Role.HEAD}))
        request = OpenIdentity(actor=actor, case_id=case_id, reason="پیگیری قضایی")
        return OpenedIdentity.model_validate(broker_client.call("intake", "open_identity", request)).identity


def citizen() -> Identity:
    """Somebody nobody else is."""
    number = uuid4().int
    return Identity(name=f"{NAME} {number % 10**8}", national_id=f"{number % 10**10:010d}", mobile=new_mobile())


def new_mobile() -> str:
    return f"+98900{uuid4().int % 10**7:07d}"


def send(broker_client: BrokerClient, *commands: FileSubmission) -> None:
    for command in commands:
        broker_client.publish_command(command)


def events_of(broker_client: BrokerClient, name: str, *commands: FileSubmission) -> dict[UUID, dict[str, object]]:
    """What was said of these submissions, by case; each once, however often the relay sent it."""
    ids = {command.submission_id for command in commands}
    events: dict[UUID, dict[str, object]] = {}
    for event in broker_client.recorded_events(name):
        case_id = UUID(event["case_id"])
        if case_id in ids:
            first = events.setdefault(case_id, event)
            assert first["id"] == event["id"], f"{name} twice of one case, as two events"
    return events


def await_events_of(
    broker_client: BrokerClient, *commands: FileSubmission, name: str = REGISTERED, timeout: float = 20
) -> dict[UUID, dict[str, object]]:
    """Waits until an event of this name came of each of them. Events of one case may come in any order."""
    ids = {command.submission_id for command in commands}
    eventually(lambda: events_of(broker_client, name, *commands).keys() == ids, timeout=timeout)
    return events_of(broker_client, name, *commands)


def receipt(broker_client: BrokerClient, office: Office, submission_id: UUID, code: str) -> ReceiptState:
    request = CheckReceipt(submission_id=submission_id, code_hashes=[office.hash_of(code)])
    return ReceiptState.model_validate(broker_client.call("intake", "check_receipt", request))
