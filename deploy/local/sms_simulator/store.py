"""Messages and handset texts, in SQLite. One connection, used from the event loop's thread alone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from . import rules

_SCHEMA = """
create table if not exists message (
  id integer primary key autoincrement,
  receptor text not null, sender text not null, text text not null, template text, localid text, tag text,
  parts integer not null, cost integer not null, created real not null, changed real not null,
  status integer not null, ending integer not null, arrival integer unique
);
create index if not exists message_localid on message (localid);
create index if not exists message_open on message (status) where status in (1, 2, 4, 5);
create table if not exists inbound (
  id integer primary key autoincrement,
  sender text not null, line text not null, text text not null, created real not null, read integer not null default 0
);
"""
_FIRST_ID = 85_463_238  # ids look like the provider's, so nobody takes them for row numbers


@dataclass(frozen=True)
class Message:
    """`ending`: the status it will end at; `arrival`: its place among all that reached a handset."""

    id: int
    receptor: str
    sender: str
    text: str
    template: str | None
    localid: str | None
    tag: str | None
    parts: int
    cost: int
    created: float
    changed: float
    status: int
    ending: int
    arrival: int | None


@dataclass(frozen=True)
class Inbound:
    id: int
    sender: str
    line: str
    text: str
    created: float


class Store:
    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(_SCHEMA)
        for table in ("message", "inbound"):
            self._db.execute(
                "insert into sqlite_sequence (name, seq) select ?, ? "
                "where not exists (select 1 from sqlite_sequence where name = ?)",
                (table, _FIRST_ID, table),
            )

    def close(self) -> None:
        self._db.close()

    def reset(self) -> None:
        """Empties both tables; ids go on growing, so that no two messages ever share one."""
        self._db.executescript("delete from message; delete from inbound;")

    def add(
        self,
        *,
        receptor: str,
        sender: str,
        text: str,
        cost_per_part: int,
        now: float,
        ending: int,
        template: str | None = None,
        localid: str | None = None,
        tag: str | None = None,
    ) -> Message:
        count = rules.parts(text)
        cursor = self._db.execute(
            "insert into message (receptor, sender, text, template, localid, tag, parts, cost, created, changed, "
            "status, ending) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                receptor,
                sender,
                text,
                template,
                localid,
                tag,
                count,
                count * cost_per_part,
                now,
                now,
                rules.QUEUED,
                ending,
            ),
        )
        assert cursor.lastrowid is not None
        added = self.message(cursor.lastrowid)
        assert added is not None
        return added

    def message(self, message_id: int) -> Message | None:
        row = self._db.execute("select * from message where id = ?", (message_id,)).fetchone()
        return Message(**row) if row else None

    def by_localid(self, localid: str, since: float) -> Message | None:
        row = self._db.execute(
            "select * from message where localid = ? and created >= ? order by id limit 1", (localid, since)
        ).fetchone()
        return Message(**row) if row else None

    def open_before(self, moment: float) -> list[Message]:
        """Those on their way whose last step is older than `moment`."""
        rows = self._db.execute(
            "select * from message where status in (1, 2, 4, 5) and changed <= ? and status <> ending order by id",
            (moment,),
        )
        return [Message(**row) for row in rows]

    def step(self, message_id: int, status: int, now: float) -> Message:
        arrival = "(select coalesce(max(arrival), 0) + 1 from message)" if status == rules.DELIVERED else "arrival"
        self._db.execute(
            f"update message set status = ?, changed = ?, arrival = {arrival} where id = ?",
            (status, now, message_id),
        )
        stepped = self.message(message_id)
        assert stepped is not None
        return stepped

    def arrived(self, receptor: str | None, after: int) -> list[Message]:
        rows = self._db.execute(
            "select * from message where arrival > ? and (?2 is null or receptor = ?2) order by arrival",
            (after, receptor),
        )
        return [Message(**row) for row in rows]

    def accepted(self, receptor: str | None, after: int) -> list[Message]:
        rows = self._db.execute(
            "select * from message where id > ? and (?2 is null or receptor = ?2) order by id",
            (after, receptor),
        )
        return [Message(**row) for row in rows]

    def spent(self) -> int:
        refunded = (rules.CANCELLED, rules.BLOCKED)
        row = self._db.execute("select coalesce(sum(cost), 0) from message where status not in (?, ?)", refunded)
        return int(row.fetchone()[0])

    def add_inbound(self, sender: str, line: str, text: str, now: float) -> Inbound:
        cursor = self._db.execute(
            "insert into inbound (sender, line, text, created) values (?, ?, ?, ?)", (sender, line, text, now)
        )
        assert cursor.lastrowid is not None
        return Inbound(cursor.lastrowid, sender, line, text, now)

    def inbound(self, line: str, read: bool, limit: int = 100) -> list[Inbound]:
        """Unread ones are marked read by being read, as the provider does."""
        rows = self._db.execute(
            "select id, sender, line, text, created from inbound where line = ? and read = ? order by id limit ?",
            (line, int(read), limit),
        ).fetchall()
        if not read:
            self._db.executemany("update inbound set read = 1 where id = ?", [(row["id"],) for row in rows])
        return [Inbound(**row) for row in rows]

    def conversation(self, limit: int = 200) -> list[sqlite3.Row]:
        """What phones would show: (phone, text, moment, mine), oldest first."""
        return self._db.execute(
            "select * from ("
            "select receptor as phone, text, changed as moment, 0 as mine from message where arrival is not null "
            "union all select sender, text, created, 1 from inbound order by moment desc limit ?) order by moment",
            (limit,),
        ).fetchall()
