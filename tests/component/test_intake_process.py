"""Intake through what happens to its processes, keys and catalogue: nothing is lost, doubled or left unreadable."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from backbone.process import keys
from contracts import tracking_codes
from contracts.gateway import FileSubmission, Identity
from contracts.intake import GetCatalogue
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.intake.catalogue.seed import SAMPLE
from tests.support.intake import CLOSED_UNIT, Office, await_events_of, citizen, key_of, receipt, send
from tests.support.processes import BrokerClient, eventually

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def office(broker_client: BrokerClient, broker: RabbitMQ, postgres: PostgreSQL, tmp_path: Path) -> Iterator[Office]:
    """A fresh one for each test; no process runs yet."""
    office = Office.open(broker, postgres, tmp_path, "intake_process")
    yield office
    office.close()


@pytest.fixture
def client(broker_client: BrokerClient, office: Office) -> BrokerClient:
    broker_client.record_events("intake.events")
    return broker_client


def more_stored(office: Office, ids: list[UUID], than: int) -> bool:
    return office.number("submissions", ids) > than


class TestMasterKeys:
    def test_it_is_rotated_twice_during_operation_and_the_former_key_dropped(
        self, office: Office, client: BrokerClient
    ) -> None:
        people: dict[UUID, Identity] = {}

        def file(number: int) -> list[FileSubmission]:
            commands = []
            for _ in range(number):
                identity = citizen()
                commands.append(office.submission(identity=identity))
                people[commands[-1].submission_id] = identity
            send(client, *commands)
            return commands

        first = office.environment["IDENTITY_MASTER_KEYS"]
        second, third = (keys.generate()["IDENTITY_MASTER_KEYS"].replace("k1:", f"k{n}:") for n in (2, 3))
        process = office.start()
        office.stored(*file(20))
        for current, former in ((second, first), (third, second)):
            office.environment["IDENTITY_MASTER_KEYS"] = f"{current},{former}"
            process.stop()
            under_way = file(120)
            process = office.start()
            said_by_it = office.run("identities.keys", "rotate")
            office.stored(*under_way)
            assert said_by_it.endswith("identities are now under the current master key")
            assert (
                office.run("identities.keys", "rotate") == "intake: 0 identities are now under the current master key"
            )
            name = current.split(":")[0]
            assert office.sql("SELECT DISTINCT master_key FROM identities") == [(name,)]
            process.stop()
            office.environment["IDENTITY_MASTER_KEYS"] = current  # the former one is gone for good
            process = office.start()
            assert len(people) in {140, 260}
            for case_id, identity in list(people.items())[:: 1 if current is third else 10]:
                assert office.identity_of(client, case_id) == identity

    def test_changing_it_touches_no_identity(self, office: Office, client: BrokerClient) -> None:
        identity = citizen()
        command = office.submission(identity=identity)
        office.start()
        send(client, command)
        office.stored(command)
        before = office.sql("SELECT nonce, ciphertext FROM identities")
        fresh = keys.generate()["IDENTITY_MASTER_KEYS"].replace("k1:", "k2:")
        office.environment["IDENTITY_MASTER_KEYS"] = f"{fresh},{office.environment['IDENTITY_MASTER_KEYS']}"
        assert office.run("identities.keys", "rotate") == "intake: 1 identities are now under the current master key"
        assert office.sql("SELECT nonce, ciphertext FROM identities") == before


class TestCodeKeys:
    def test_a_receipt_gives_a_working_code_after_the_key_has_changed(
        self, office: Office, client: BrokerClient
    ) -> None:
        code = office.new_code()
        first, later = office.submission(code), office.submission(code, citizen())
        process = office.start()
        send(client, first)
        office.stored(first)
        send(client, later)
        event = await_events_of(client, later)[later.submission_id]
        process.stop()
        former = office.environment["CODE_MAC_KEYS"]
        office.environment["CODE_MAC_KEYS"] = f"{keys.generate()['CODE_MAC_KEYS']},{former}"
        office.start()
        new_code = receipt(client, office, later.submission_id, code).new_code
        assert new_code is not None
        assert tracking_codes.parse(new_code, [key_of(office.environment["CODE_MAC_KEYS"])]) == new_code
        assert office.hash_of(new_code) == event["code_hash"]


class TestKills:
    def test_repeated_kills_lose_and_duplicate_no_submission(self, office: Office, client: BrokerClient) -> None:
        commands: list[FileSubmission] = []
        unfinished = 0
        for _ in range(3):
            more = [office.submission(identity=citizen()) for _ in range(250)]
            send(client, *more)
            before = office.number("submissions", [command.submission_id for command in commands])
            commands += more
            ids = [command.submission_id for command in commands]
            process = office.start(ready=False)
            eventually(partial(more_stored, office, ids, before), timeout=40)
            process.kill()
            unfinished += len(ids) - office.number("submissions", ids)
            unfinished += int(office.sql("SELECT count(*) FROM outbox")[0][0])
        assert unfinished > 0, "it was not killed at its work: the test shows nothing"
        office.start()
        office.stored(*commands, timeout=60)
        await_events_of(client, *commands, timeout=60)
        assert office.number("identities", [command.submission_id for command in commands]) == len(commands)
        eventually(lambda: office.sql("SELECT count(*) FROM outbox") == [(0,)])
        assert client.queue_depth("dead-letters") == 0


class TestCatalogue:
    def catalogue(self, broker_client: BrokerClient) -> dict[str, object]:
        answer: dict[str, object] = broker_client.call("intake", "get_catalogue", GetCatalogue())
        return answer

    def sample(self, folder: Path, changed: str | None = None) -> str:
        """The sample in a folder of its own, one unit renamed."""
        folder.mkdir(exist_ok=True)
        for file in SAMPLE.glob("*.csv"):
            text = file.read_text(encoding="utf-8")
            if changed:
                text = text.replace("Building Permits Office", changed)
            (folder / file.name).write_text(text, encoding="utf-8")
        return str(folder)

    def test_it_is_seeded_once_and_published(self, office: Office, client: BrokerClient) -> None:
        assert office.run("catalogue.seed") == "intake: a catalogue is already there"
        office.start()
        [event] = eventually(lambda: client.recorded_events("catalogue.changed.v1"))
        catalogue = self.catalogue(client)
        assert event["catalogue"] == catalogue
        assert catalogue["version"] == 1
        units = catalogue["units"]
        assert isinstance(units, list)
        assert sum(unit["parent"] is None for unit in units) == 1
        assert {unit["code"]: unit["active"] for unit in units}[CLOSED_UNIT] is False

    def test_changes_of_the_administrator_are_not_overwritten(self, office: Office, tmp_path: Path) -> None:
        assert (
            office.run("catalogue.seed", self.sample(tmp_path / "new", "Permits"))
            == "intake: a catalogue is already there"
        )
        assert office.sql("SELECT max(version) FROM catalogue_versions") == [(1,)]

    def test_a_replaced_catalogue_has_a_new_version_that_applies_from_then_on(
        self, office: Office, client: BrokerClient, tmp_path: Path
    ) -> None:
        office.start()
        earlier = office.submission()
        send(client, earlier)
        await_events_of(client, earlier)
        assert office.run("catalogue.seed", "--replace") == "intake: the catalogue is what it was"
        assert office.run("catalogue.seed", "--replace", self.sample(tmp_path / "new", "Permits")).startswith(
            "intake: catalogue 2 with 100 units and "
        )
        eventually(
            lambda: [e["catalogue"]["version"] for e in client.recorded_events("catalogue.changed.v1")] == [1, 2]
        )
        assert self.catalogue(client) == client.recorded_events("catalogue.changed.v1")[-1]["catalogue"]
        later = office.submission()
        send(client, later)
        names = [
            await_events_of(client, command)[command.submission_id]["unit_name_en"] for command in (earlier, later)
        ]
        assert names == ["Building Permits Office", "Permits"]

    def test_a_broken_tree_is_refused_completely(self, office: Office, tmp_path: Path) -> None:
        folder = Path(self.sample(tmp_path / "broken"))
        with (folder / "units.csv").open("a", encoding="utf-8") as file:
            file.write("lost,no.such.parent,unit,گمشده,Lost,1\n")
        with pytest.raises(AssertionError, match=r"units\.lost\.parent: unknown_unit"):
            office.run("catalogue.seed", "--replace", str(folder))
        assert office.sql("SELECT max(version) FROM catalogue_versions") == [(1,)]
        assert office.sql("SELECT count(*) FROM units") == [(100,)]
