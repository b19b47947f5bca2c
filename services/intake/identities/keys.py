"""`python -m services.intake.identities.keys rotate`: wraps every identity's data key under the first of IDENTITY_MASTER_KEYS.

Put the new key first and keep the old one behind it, restart intake, run this, then drop the old key. Safe to run
again, to interrupt and to run twice at once.
"""

from __future__ import annotations

import os
import sys

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

from backbone.process.settings import load
from backbone.storage.database import Database
from services.intake.composition import vault
from services.intake.identities.use_cases import rotate_master_key
from services.intake.settings import Settings


def main(arguments: list[str]) -> None:
    if arguments != ["rotate"]:
        sys.exit("usage: python -m services.intake.identities.keys rotate")
    settings = load(Settings)
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    master_keys, total = vault(settings), 0
    while True:
        with database.transaction() as connection:
            wrapped = rotate_master_key(connection, master_keys)
        if wrapped == 0:
            break
        total += wrapped
    print(f"intake: {total} identities are now under the current master key")


if __name__ == "__main__":
    main(sys.argv[1:])
