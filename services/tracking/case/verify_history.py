"""Walks the timelines' chains: `python -m services.tracking.case.verify_history [--case CASE_ID]`.

Names the first broken link of each case; exit code 0 when all hold, 1 when one does not, 2 for a wrong call.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby
from uuid import UUID

from sqlalchemy import Connection

from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from services.tracking.case import store
from services.tracking.case.lifecycle import StoredEntry
from services.tracking.case.timeline import first_break

PAGE = 1_000


def broken(connection: Connection, only: UUID | None = None) -> Iterator[tuple[str, str | None]]:
    """(case number, what is wrong or None) of every case, or of one."""
    after: UUID | None = None
    while heads := store.case_heads(connection, after, PAGE, only):
        rows = store.histories(connection, [head.case_id for head in heads])
        chains = {case_id: list(lines) for case_id, lines in groupby(rows, key=lambda row: row.case_id)}
        for head in heads:
            chain = (
                (
                    StoredEntry(
                        row.case_id,
                        row.sequence,
                        row.entry,
                        row.actor_kind,
                        row.actor_id,
                        row.at,
                        row.stage,
                        row.details,
                    ),
                    row.previous_hash,
                    row.hash,
                )
                for row in chains.get(head.case_id, [])
            )
            yield head.number, first_break(chain, head.version, head.history_hash)
        after = heads[-1].case_id


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.tracking.case.verify_history")
    parser.add_argument("--case", type=UUID, help="one case's id; without it all are checked")
    only = parser.parse_args(arguments).case
    database = Database(url_of("tracking"), pool_size=1, statement_timeout_ms=0)
    checked = wrong = 0
    with database.read() as connection:
        # One snapshot: a case that changes meanwhile is seen whole, as it was or as it is.
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        for number, problem in broken(connection, only):
            checked += 1
            if problem is not None:
                wrong += 1
                print(f"{number}: {problem}")
    if only is not None and not checked:
        print(f"there is no case {only}")
        return 1
    print(f"{checked} cases checked, {wrong} broken" if wrong else f"{checked} cases checked, every chain holds")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
