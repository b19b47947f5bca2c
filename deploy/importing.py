"""Imports tables of the office, CSV or XLSX: `python -m deploy.importing WHAT FILE [--dry-run]`.

Each table is imported by its own service's command; the units that staff may belong to are those of intake.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from services.accounts import importing as accounts
from services.intake.catalogue import importing as intake
from services.intake.catalogue import store
from services.notify import importing as notify

USAGE = f"""usage: ./peygir import WHAT FILE [--dry-run]
       ./peygir export WHAT FILE

WHAT is one of {", ".join((*intake.TABLES, "staff", "notification-texts"))}.
FILE is CSV or XLSX; its first row names the columns (docs/runbook.md, "Tables of the office"). export writes what there is as
CSV, to be changed and imported.

A row adds what has its code, or changes it; what is not in the file stays, and so does what a row does not say: a column that is
not there, or an empty cell. A dash or «خالی» empties. Deadlines and retention are replaced whole. When anything is wrong, each
mistake is reported with its row and column, and nothing is changed. --dry-run changes nothing in any case."""


def main(arguments: Sequence[str]) -> int:
    """0; 1 when the table was refused; 2 when the command cannot be read."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE, file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    what, *rest = arguments
    if what == "staff":
        if any(word in ("-h", "--help") for word in rest):
            return accounts.main(rest)
        with Database(url_of("intake"), pool_size=1).read() as connection:
            units = {unit.code for unit in store.catalogue(connection).units}
        return accounts.main(rest, units)
    if what == "notification-texts":
        return notify.main(rest)
    return intake.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
