"""The private parts of a local run: they keep port and data through a kill -9, and say what is wrong."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pika
import psycopg
import pytest
from minio import Minio

from deploy.local import child_process, ports
from deploy.local.parts import CannotStart, ObjectStore, PostgreSQL, RabbitMQ
from tests.support.processes import eventually

ROOT = Path(__file__).parents[2]
Part = TypeVar("Part", PostgreSQL, ObjectStore)


@contextlib.contextmanager
def started(part: Part) -> Iterator[Part]:
    part.start()
    try:
        yield part
    finally:
        part.stop()


def test_rabbitmq_keeps_port_and_confirmed_messages_through_a_kill(tmp_path: Path) -> None:
    broker = RabbitMQ(tmp_path)
    broker.start()
    try:
        url = broker.url
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
            channel.basic_publish("", "kept", b"a complaint", pika.BasicProperties(delivery_mode=2), mandatory=True)
        # backbone.messaging.topology.WRITTEN_AFTER: what a kill before that does to a queue that is new
        eventually(lambda: any(b"kept" in names.read_bytes() for names in tmp_path.rglob("quorum/*/names.dets")))

        broker.kill()
        assert not ports.accepts(broker.port)
        broker.start()

        assert broker.url == url
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            channel = connection.channel()
            body = eventually(lambda: channel.basic_get("kept", auto_ack=True)[2], why="the message came back")
            assert body == b"a complaint"
        assert "127.0.0.1" in broker.control("status")
    finally:
        broker.kill()


def test_rabbitmq_stops_cleanly(broker_folder: Path) -> None:
    broker = RabbitMQ(broker_folder)
    broker.start()
    broker.stop()
    assert broker.last_end == "exit code 0"
    assert not ports.accepts(broker.port)


@pytest.fixture
def broker_folder(tmp_path: Path) -> Path:
    return tmp_path / "rabbitmq"


def test_postgresql_logs_an_error_without_citizens_texts(tmp_path: Path) -> None:
    server = PostgreSQL(tmp_path)
    server.start()
    try:
        url = server.database_url("postgres").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE told (word text UNIQUE, times int CHECK (times > 0))")
            connection.execute("INSERT INTO told VALUES ('canary', 1)")
            for statement, values in (
                ("INSERT INTO told VALUES (%s, 1)", ["canary"]),  # the key would be told
                ("INSERT INTO told VALUES (%s, -1)", ["canary2"]),  # the row
                ("SELECT 'canary' FROM nowhere", []),  # the statement
                ("SELECT %s::int FROM told", ["1"]),
                ("DO $$ BEGIN EXECUTE 'SELECT ''canary'' FROM nowhere'; END $$", []),  # the query and its context
            ):
                with contextlib.suppress(psycopg.Error):
                    connection.execute(statement, values)
        server.stop()
        log = server.log.read_text()
        assert log.count("ERROR:") == 4
        assert "canary" not in log
    finally:
        server.kill()


def test_postgresql_keeps_port_and_committed_rows_through_a_kill(tmp_path: Path) -> None:
    with started(PostgreSQL(tmp_path)) as server:
        server.create_databases(["peygir_intake"])
        server.create_databases(["peygir_intake"])  # the second time finds it there
        url = server.database_url("peygir_intake").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('شکایت')")
            settings: dict[str, str] = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
        assert settings["fsync"] == settings["synchronous_commit"] == settings["full_page_writes"] == "on"
        assert int(settings["max_connections"]) >= 200

        server.kill()
        server.start()

        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT word FROM kept").fetchall() == [("شکایت",)]


def test_postgresql_recognises_persian_letters_in_trigrams(tmp_path: Path) -> None:
    with started(PostgreSQL(tmp_path)) as server:
        with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_trgm")
            row = connection.execute("SELECT similarity('شهرداری قزوین', 'شهرداري منطقه')").fetchone()
        assert row is not None
        assert row[0] > 0


def test_postgresql_requires_its_password(tmp_path: Path) -> None:
    with started(PostgreSQL(tmp_path)) as server:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(f"postgresql://peygir:wrong@127.0.0.1:{server.port}/postgres")


def test_the_object_store_keeps_port_keys_and_objects_through_a_kill(tmp_path: Path) -> None:
    with started(ObjectStore(tmp_path)) as store:
        place = f"127.0.0.1:{store.port}"
        client = Minio(place, store.access_key, store.secret_key, secure=False)
        client.make_bucket("peygir")
        (tmp_path / "photo").write_bytes(b"light")
        client.fput_object("peygir", "photo", str(tmp_path / "photo"))

        store.kill()
        store.start()

        assert store.endpoint == f"http://{place}"
        assert client.get_object("peygir", "photo").read() == b"light"


def test_a_part_whose_port_is_occupied_uses_another(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    taken = store.port
    with socket.create_server(("127.0.0.1", taken)):
        store.start()
        try:
            assert store.port != taken
            assert ports.accepts(store.port)
            assert ObjectStore(tmp_path).port == store.port
        finally:
            store.stop()


def test_a_missing_broker_is_reported_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PEYGIR_RABBITMQ_SERVER", "/nowhere/rabbitmq-server")
    with pytest.raises(CannotStart, match=r"apt-get install rabbitmq-server.*AMQP_URL"):
        RabbitMQ(tmp_path).start()


def test_a_part_that_fails_to_start_is_reported_with_its_log(tmp_path: Path) -> None:
    server = PostgreSQL(tmp_path)
    server.start()
    server.stop()
    (tmp_path / "data" / "global" / "pg_control").unlink()
    with pytest.raises(CannotStart, match=r"(?s)postgresql stopped at its start; its log is .*pg_control") as raised:
        server.start()
    assert str(server.log) in str(raised.value)


LAUNCHER = """
import sys
from pathlib import Path
from deploy.local.parts import ObjectStore, PostgreSQL
parts = [ObjectStore(Path(sys.argv[1])), PostgreSQL(Path(sys.argv[2]))]
for part in parts:
    part.start()
print(*(part.pid for part in parts), flush=True)
sys.stdin.read()
"""


def test_parts_end_with_a_killed_launcher_and_start_again(tmp_path: Path) -> None:
    folders = [tmp_path / "objects", tmp_path / "postgresql"]
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, *map(str, folders)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as launcher:
        assert launcher.stdout is not None
        pids = [int(word) for word in launcher.stdout.readline().split()]
        assert len(pids) == 2
        launcher.kill()

    eventually(lambda: not any(is_running(pid) for pid in pids), why="the parts went with their launcher")
    for part in (ObjectStore(folders[0]), PostgreSQL(folders[1])):
        part.start()
        assert part.alive
        part.stop()


def test_a_leftover_that_outlived_its_launcher_is_ended_before_a_new_start(tmp_path: Path) -> None:
    first, second = ObjectStore(tmp_path), ObjectStore(tmp_path)
    first.start()
    pid = first.pid
    assert pid is not None
    second.start()  # as a new launcher does: it knows nothing but the pid file
    try:
        assert not is_running(pid)
        assert second.port == first.port
    finally:
        second.stop()


def test_a_pid_file_with_a_recycled_number_kills_nobody(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (tmp_path / "pid").write_text(f"{stranger.pid} 1\n")
        store = ObjectStore(tmp_path)
        store.start()
        store.stop()
        assert stranger.poll() is None
        stranger.send_signal(signal.SIGKILL)


def is_running(pid: int) -> bool:
    return child_process.start_time(pid) != 0
