"""Every audited service at work: what they note, the checkpoint that vouches for it, and whoever rewrites it being named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from backbone.messaging import topology
from backbone.process import keys
from backbone.storage import audit, hash_chain, migrate
from backbone.storage.hash_chain import FIRST_HASH
from contracts.accounts import ResetStaffCredentials
from contracts.audit import AUDITED, KeepCheckpoint
from contracts.errors import NotAllowed, StaleVersion, UnknownCase
from contracts.gateway import Actor
from contracts.intake import ChangeConfiguration, GetCatalogue, OpenIdentity, SetDecisions
from contracts.notify import ChangeNotificationText, ListNotificationTexts
from contracts.tracking import AddNote, AuthorizeIdentity, StartScreening, Withdraw
from contracts.vocabulary import ActorKind, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.accounts.seed import staff_id
from services.tracking.case.lifecycle import StoredEntry
from services.tracking.case.timeline import link
from tests.support.intake import Office as IntakeOffice
from tests.support.intake import citizen, send
from tests.support.processes import BrokerClient, ServiceProcess, create_database, eventually, run_module
from tests.support.tracking import Office, actor

pytestmark = pytest.mark.timeout(240)

ADMINISTRATOR = Actor(
    kind=ActorKind.STAFF, id=str(staff_id("administrator")), roles=frozenset({Role.ADMINISTRATOR}), unit="mayor.insp"
)
SECRET = "بهارستان"
"""A word that is in a text, a name and a reason, and must be in no entry."""


@dataclass
class AuditedServices:
    """The four services, each with its database."""

    environment: dict[str, str]
    processes: list[ServiceProcess]
    folder: Path

    def sql(self, service: str, statement: str, *values: Any) -> list[dict[str, Any]]:
        """As somebody who has the databases, and so can switch their triggers off."""
        url = self.environment[f"DATABASE_URL_{service.upper()}"].replace("+psycopg", "")
        with psycopg.connect(url, row_factory=dict_row) as connection:
            connection.execute("SET session_replication_role = replica")
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def run(self, module: str, *arguments: str) -> tuple[int, str]:
        done = run_module(module, *arguments, environment=self.environment, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def verify(self, *checkpoints: Path) -> list[str]:
        """What `peygir verify-history` finds broken."""
        code, output = self.run(
            "deploy.verify_history", *(word for file in checkpoints for word in ("--checkpoint", str(file)))
        )
        broken = [line for line in output.splitlines() if "hold" not in line]
        assert code == (1 if broken else 0), output
        return broken

    def checkpoint(self) -> Path:
        code, output = self.run("gateway.checkpoints.publishing")
        assert code == 0, output
        return Path(output.strip())

    def chained(self, service: str) -> list[dict[str, Any]]:
        """The entries, once nothing waits any more."""
        eventually(lambda: self.sql(service, "SELECT count(*) AS left FROM audit_waiting")[0]["left"] == 0)
        return self.sql(service, "SELECT * FROM audit ORDER BY position")


@pytest.fixture(scope="module")
def audited_services(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AuditedServices]:
    folder = tmp_path_factory.mktemp("audited")
    topology.declare(broker.url)
    urls = {name: create_database(postgres.url, f"audit_of_{name}") for name in AUDITED}
    environment = {
        **keys.generate(),
        "AMQP_URL": broker.url,
        "CHECKPOINT_DIR": str(folder / "checkpoints"),
        "KAVENEGAR_BASE_URL": "http://127.0.0.1:9",
        "KAVENEGAR_API_KEY": "none",
        "SMS_SENDER": "1000",
        "PUBLIC_URL": "https://peygir.example",
        **{f"DATABASE_URL_{name.upper()}": url for name, url in urls.items()},
    }
    processes = []
    for name, url in urls.items():
        migrate.upgrade(name, url)
        processes.append(ServiceProcess(name, {**environment, "DATABASE_URL": url}, folder / f"{name}.log"))
    audited_services = AuditedServices(environment, processes, folder)
    for seed in ("services.intake.catalogue.seed", "services.accounts.seed"):
        code, output = audited_services.run(seed)
        assert code == 0, output
    for process in processes:
        process.start()
    yield audited_services
    for process in processes:
        process.stop()


@pytest.fixture
def office(audited_services: AuditedServices, broker_client: BrokerClient) -> Office:
    return Office(broker_client, audited_services.environment["DATABASE_URL_TRACKING"]).gather()


def what(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["command"], entry["subjects"][0] if entry["subjects"] else "", entry["result"]


def test_commands_and_identity_reads_are_audited_with_their_actor(
    audited_services: AuditedServices, office: Office, broker_client: BrokerClient
) -> None:
    filed = office.open(text=f"در {SECRET} رسیدگی نشد")
    case = str(filed.case_id)
    office.do(office.screener, filed.case_id, StartScreening())
    with pytest.raises(StaleVersion):
        office.do(office.screener, filed.case_id, AddNote(text=SECRET), version=1)
    with pytest.raises(UnknownCase):
        office.do(office.insider, filed.case_id, AddNote(text=SECRET), version=2)
    office.do_as_citizen(filed.code_hash, Withdraw(reason=SECRET))

    def entries() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Of commands and, written soon after, of readings: who comes too late is answered with the case as it is."""
        found = [entry for entry in audited_services.chained("tracking") if case in entry["subjects"]]
        readings = [entry for entry in found if entry["command"] == "get_case"]
        assert readings
        return [entry for entry in found if entry not in readings], readings

    of_case, readings = eventually(entries)
    assert {(*what(entry), entry["actor_id"]) for entry in readings} == {("get_case", case, "done", office.screener.id)}
    assert [what(entry) for entry in of_case] == [
        ("start_screening", case, "done"),
        ("add_note", case, "stale_version"),
        ("add_note", case, "unknown_case"),
        ("withdraw", case, "done"),
    ]
    assert [(entry["actor_kind"], entry["actor_id"], entry["roles"]) for entry in of_case] == [
        ("staff", office.screener.id, ["screener"]),
        ("staff", office.screener.id, ["screener"]),
        ("staff", office.insider.id, ["inspector"]),
        ("bearer", None, []),
    ]
    assert filed.code_hash not in str(audited_services.chained("tracking"))


def test_opening_an_identity_is_audited_by_tracking_and_by_intake(
    audited_services: AuditedServices, office: Office, broker_client: BrokerClient
) -> None:
    intake = IntakeOffice(
        {**audited_services.environment, "DATABASE_URL": audited_services.environment["DATABASE_URL_INTAKE"]},
        audited_services.folder,
    )
    person = citizen()
    command = intake.submission(identity=person, text=SECRET)
    send(broker_client, command)
    intake.stored(command)
    head, analyst = actor(Role.HEAD), actor(Role.ANALYST)
    broker_client.call(
        "intake", "open_identity", OpenIdentity(actor=head, case_id=command.submission_id, reason=SECRET)
    )
    with pytest.raises(NotAllowed):
        broker_client.call(
            "intake", "open_identity", OpenIdentity(actor=analyst, case_id=command.submission_id, reason=SECRET)
        )
    with pytest.raises(NotAllowed):
        broker_client.call(
            "tracking", "authorize_identity", AuthorizeIdentity(actor=analyst, case_id=command.submission_id)
        )
    case = str(command.submission_id)
    opened = [entry for entry in audited_services.chained("intake") if case in entry["subjects"]]
    assert [(entry["actor_id"], *what(entry)) for entry in opened] == [
        (head.id, "open_identity", case, "done"),
        (analyst.id, "open_identity", case, "not_allowed"),
    ]
    entries = [entry for entry in audited_services.chained("tracking") if case in entry["subjects"]]
    assert [(entry["actor_id"], *what(entry)) for entry in entries] == [
        (analyst.id, "authorize_identity", case, "not_allowed")
    ]
    for service in AUDITED:
        audit_text = str(audited_services.chained(service))
        assert not any(str(word) in audit_text for word in (SECRET, person.name, person.mobile, person.national_id))


def test_actions_of_the_administrator_are_audited_in_each_service(
    audited_services: AuditedServices, broker_client: BrokerClient
) -> None:
    version = broker_client.call("intake", "get_catalogue", GetCatalogue())["version"]
    broker_client.call(
        "intake",
        "change_configuration",
        ChangeConfiguration(
            actor=ADMINISTRATOR,
            expected_version=version,
            idempotency_key=uuid4().hex,
            changes=[SetDecisions(auto_close_days=12)],
        ),
    )
    about = staff_id("inspector")
    broker_client.call(
        "accounts",
        "reset_staff_credentials",
        ResetStaffCredentials(actor=ADMINISTRATOR, idempotency_key=uuid4().hex, staff_id=about),
    )
    texts = broker_client.call("notify", "list_notification_texts", ListNotificationTexts(actor=ADMINISTRATOR))["items"]
    text = next(text for text in texts if text["channel"] == "inbox")
    broker_client.call(
        "notify",
        "change_notification_text",
        ChangeNotificationText(
            actor=ADMINISTRATOR,
            idempotency_key=uuid4().hex,
            channel="inbox",
            name=text["name"],
            expected_version=text["version"],
            text_fa=None,
            text_en=None,
        ),
    )
    assert what(audited_services.chained("intake")[-1]) == ("change_configuration", "set_decisions", "done")
    assert what(audited_services.chained("accounts")[-1]) == ("reset_staff_credentials", str(about), "done")
    assert what(audited_services.chained("notify")[-1]) == ("change_notification_text", f"inbox:{text['name']}", "done")
    assert {audited_services.chained(name)[-1]["actor_id"] for name in ("intake", "accounts", "notify")} == {
        ADMINISTRATOR.id
    }


# --- the checkpoint ---


def timeline_written_anew(
    audited_services: AuditedServices, case_id: UUID, change: Callable[[StoredEntry], StoredEntry]
) -> None:
    """The whole chain of a case, with each entry changed, so that it holds in itself."""
    head = FIRST_HASH
    for row in audited_services.sql("tracking", "SELECT * FROM timeline WHERE case_id = %s ORDER BY sequence", case_id):
        entry = change(StoredEntry(**{name: row[name] for name in StoredEntry.__dataclass_fields__}))
        previous, head = head, link(head, entry)
        audited_services.sql(
            "tracking",
            "UPDATE timeline SET at = %s, details = %s, previous_hash = %s, hash = %s"
            " WHERE case_id = %s AND sequence = %s RETURNING 1 AS done",
            entry.at,
            Jsonb(dict(entry.details)),
            previous,
            head,
            case_id,
            entry.sequence,
        )
    audited_services.sql(
        "tracking", "UPDATE cases SET history_hash = %s WHERE case_id = %s RETURNING 1 AS done", head, case_id
    )


def audit_written_anew(audited_services: AuditedServices, service: str, position: int, **changes: Any) -> None:
    """One entry changed, and the chain from there on made to fit."""
    previous = hash_chain.FIRST_HASH
    for row in audited_services.sql(service, "SELECT * FROM audit ORDER BY position"):
        changed_row = row | (changes if row["position"] == position else {})
        own = audit.hash_of(previous, row["position"], changed_row)
        audited_services.sql(
            service,
            "UPDATE audit SET result = %s, at = %s, previous_hash = %s, hash = %s WHERE position = %s RETURNING 1 AS done",
            changed_row["result"],
            changed_row["at"],
            previous,
            own,
            row["position"],
        )
        previous = own


def test_rewriting_whole_chains_is_detected_only_with_a_checkpoint(
    audited_services: AuditedServices, office: Office
) -> None:
    old, other = office.decided(), office.decided()
    for filed in (old, other):  # as if it had been yesterday: what is younger than ten minutes is in no checkpoint yet
        timeline_written_anew(
            audited_services, filed.case_id, lambda entry: replace(entry, at=entry.at - timedelta(days=1))
        )
    for service in AUDITED:
        audited_services.chained(service)
    checkpoint = audited_services.checkpoint()
    office.do(office.head, old.case_id, AddNote(text="پس از آن"))
    many = len(audited_services.chained("tracking"))
    assert audited_services.verify(checkpoint) == []

    timeline_written_anew(
        audited_services,
        other.case_id,
        lambda entry: replace(entry, details={**entry.details, "outcome": "not_upheld"}),
    )
    audit_written_anew(audited_services, "tracking", many - 2, result="not_allowed")
    assert audited_services.verify() == []
    first, second = audited_services.verify(checkpoint)
    assert first == (
        f"tracking audit: entry {many - 1} is not the one that the checkpoint {name_of(checkpoint)} has seen:"
        " written anew after entry 0"
    )
    assert second.startswith(
        f"tracking timelines: of a case whose id begins with {str(other.case_id)[:2]} an entry before"
    )

    assert audited_services.verify(public_of(checkpoint)) == [first, second]
    later = (
        audited_services.checkpoint()
    )  # vouches for what is there now, and takes nothing back that the older one has seen
    assert audited_services.verify(later) == []
    assert len(audited_services.verify(later, checkpoint)) == 2

    audited_services.sql("tracking", "DELETE FROM audit WHERE position > 2 RETURNING 1 AS done")
    assert f"tracking audit: it ends at entry 2, but the checkpoint {name_of(later)} has seen entry {many}" in (
        audited_services.verify(later)
    )


def public_of(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".public.json")


def test_a_changed_or_missing_full_checkpoint_is_detected_by_the_public_one(
    audited_services: AuditedServices, tmp_path: Path
) -> None:
    full = audited_services.checkpoint()
    public = public_of(full)
    kept = audited_services.sql("tracking", "SELECT document FROM checkpoints WHERE name = %s", name_of(full))[0][
        "document"
    ]
    assert audited_services.verify(public) == audited_services.verify(full, public)
    changed = kept.replace('\\"cases\\":', '\\"cases\\": ')
    assert changed != kept
    put = "UPDATE checkpoints SET document = %s WHERE name = %s RETURNING 1 AS done"
    audited_services.sql("tracking", put, changed, name_of(full))
    assert audited_services.verify(public) == [f"the full checkpoint {name_of(full)} is not the one that was published"]
    assert audited_services.verify(public, full) == audited_services.verify(full)
    audited_services.sql("tracking", "DELETE FROM checkpoints WHERE name = %s RETURNING 1 AS done", name_of(full))
    assert audited_services.verify(public) == [f"the full checkpoint {name_of(full)} is not kept any more"]


def name_of(checkpoint: Path) -> str:
    return checkpoint.stem.removeprefix("peygir-checkpoint-")


def test_a_checkpoint_is_accepted_only_as_it_was_signed(
    audited_services: AuditedServices, office: Office, tmp_path: Path
) -> None:
    checkpoint = audited_services.checkpoint()
    document = json.loads(checkpoint.read_text())
    forged = tmp_path / "forged.json"
    forged.write_text(
        json.dumps({**document, "payload": document["payload"].replace('"position":', '"position": ', 1)})
    )
    code, output = audited_services.run("deploy.verify_history", "--checkpoint", str(forged))
    assert (code, "not signed" in output) == (1, True)
    code, output = audited_services.run("deploy.verify_history", "--checkpoint", str(checkpoint), "--key", "ab" * 32)
    assert (code, "not signed" in output) == (1, True)
    payload = json.loads(document["payload"])
    assert set(payload["audit"]) == set(AUDITED)
    assert len(payload["timelines"]["buckets"]) == 256


def test_one_of_two_simultaneous_gateways_creates_the_checkpoint_and_both_have_it(
    audited_services: AuditedServices, broker_client: BrokerClient
) -> None:
    kept = [
        broker_client.call("tracking", "keep_checkpoint", KeepCheckpoint(name="2020-01-01", document=document))
        for document in ("first", "second")
    ]
    assert kept == [{"name": "2020-01-01", "document": "first"}] * 2
