"""Each command of the API with what may be wrong about it: bad_input_citizens, _staff and _administration have the rows."""

from __future__ import annotations

from tests.e2e.bad_input_account import ACCOUNT
from tests.e2e.bad_input_administration import ADMINISTRATION, PAPERS, SEARCHES, VISITS, WEBHOOKS
from tests.e2e.bad_input_bulk import BULK
from tests.e2e.bad_input_citizens import CITIZENS, SUBMISSIONS
from tests.e2e.bad_input_desk import DESK
from tests.e2e.bad_input_rows import Command
from tests.e2e.bad_input_staff import STAFF

COMMANDS: dict[str, Command] = {
    **SUBMISSIONS,
    **CITIZENS,
    **STAFF,
    **VISITS,
    **ADMINISTRATION,
    **WEBHOOKS,
    **SEARCHES,
    **BULK,
    **PAPERS,
    **DESK,
    **ACCOUNT,
}
