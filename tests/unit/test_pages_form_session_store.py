"""Where the pages' drafts lie: bounded in number, size and time, whole or not at all, for their owner alone."""

from __future__ import annotations

import asyncio
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.pages.form_session_store import (
    LIFETIME,
    PROTECTED,
    RECORD_LIMIT,
    FileStore,
    Record,
    RecordTooLarge,
    StoreUnavailable,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def store(folder: Path, clock: Clock, records: int = 100, octets: int = 10_000_000) -> FileStore:
    return FileStore(folder / "form-sessions", records, octets, clock)


def id_(number: int) -> str:
    return f"{number:064x}"


def put(made: FileStore, number: int, **values: bytes) -> None:
    asyncio.run(made.change(id_(number), values, {}))


def read(made: FileStore, number: int) -> Record:
    return dict(item for record in asyncio.run(made.read(id_(number))).records for item in record.items())


def test_values_are_put_replaced_and_removed_by_name(tmp_path: Path, clock: Clock) -> None:
    made = store(tmp_path, clock)
    put(made, 1, draft=b"first", mobile=b"\x00\xff")
    put(made, 1, draft=b"second")
    assert read(made, 1) == {"draft": b"second", "mobile": b"\x00\xff"}
    asyncio.run(made.change(id_(1), {}, {"mobile": b"removed"}))
    assert read(made, 1) == {"draft": b"second"}
    asyncio.run(made.change(id_(1), {}, {"draft": b"removed"}))
    assert read(made, 1) == {}
    assert not list((tmp_path / "form-sessions").glob("[0-9a-f]*"))


def test_stored_values_survive_the_process(tmp_path: Path, clock: Clock) -> None:
    put(store(tmp_path, clock), 1, draft=b"text")
    assert read(store(tmp_path, clock), 1) == {"draft": b"text"}


def test_only_the_user_of_the_process_can_read_it(tmp_path: Path, clock: Clock) -> None:
    mask = os.umask(0)
    try:
        put(store(tmp_path, clock), 1, draft=b"text")
    finally:
        os.umask(mask)
    folder = tmp_path / "form-sessions"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_it_expires_a_day_after_the_last_change(tmp_path: Path, clock: Clock) -> None:
    made = store(tmp_path, clock)
    put(made, 1, draft=b"text")
    clock.now += LIFETIME - 1
    put(made, 2, draft=b"other")
    assert read(made, 1) == {"draft": b"text"}
    clock.now += 2
    assert read(made, 1) == {}
    made.sweep()
    assert [file.name for file in (tmp_path / "form-sessions").glob("[0-9a-f]*")] == [id_(2)]


def test_the_oldest_records_are_evicted_but_never_one_being_written(tmp_path: Path, clock: Clock) -> None:
    made = store(tmp_path, clock, records=3)
    for number in range(3):
        put(made, number, draft=b"text")
        clock.now += 1
    with pytest.raises(StoreUnavailable):
        put(made, 3, draft=b"a flood")
    assert all(read(made, number) for number in range(3))
    put(made, 0, draft=b"its own visitor goes on")
    clock.now += PROTECTED
    put(made, 3, draft=b"later")
    assert [bool(read(made, number)) for number in range(4)] == [True, False, True, True]


def test_bytes_are_limited_in_total_and_per_record(tmp_path: Path, clock: Clock) -> None:
    made = store(tmp_path, clock, octets=100_000)
    for number in range(3):
        put(made, number, draft=bytes(20_000))
    with pytest.raises(StoreUnavailable):
        put(made, 4, draft=bytes(30_000))
    with pytest.raises(RecordTooLarge):
        put(made, 0, draft=bytes(RECORD_LIMIT))
    assert read(made, 0) == {"draft": bytes(20_000)}
    held = sum(file.stat().st_size for file in (tmp_path / "form-sessions").iterdir())
    assert held <= 100_000
    # A new process counts what is there.
    with pytest.raises(StoreUnavailable):
        put(store(tmp_path, clock, octets=100_000), 4, draft=bytes(30_000))


def test_a_damaged_or_foreign_file_is_ignored(tmp_path: Path, clock: Clock) -> None:
    made = store(tmp_path, clock)
    put(made, 1, draft=b"text")
    file = tmp_path / "form-sessions" / id_(1)
    for content in (b"", b'{"draft": "dGV', b"[]", b'{"draft": 1}', b"\xff\xfe"):
        file.write_bytes(content)
        os.utime(file, (clock.now, clock.now))
        assert read(made, 1) == {}
        put(made, 1, draft=b"again")
        assert read(made, 1) == {"draft": b"again"}


def test_simultaneous_changes_of_one_record_lose_nothing(tmp_path: Path, clock: Clock) -> None:
    first, second = store(tmp_path, clock), store(tmp_path, clock)  # two processes on one folder

    def change(number: int) -> None:
        put((first, second)[number % 2], 1, **{f"value{number}": b"x" * 1000})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(60)))
    assert len(read(first, 1)) == 60


def test_an_unwritable_folder_is_reported(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "form-sessions").write_text("not a folder")
    made = store(tmp_path, clock)
    with pytest.raises(StoreUnavailable):
        put(made, 1, draft=b"text")
    with pytest.raises(StoreUnavailable):
        read(made, 1)
