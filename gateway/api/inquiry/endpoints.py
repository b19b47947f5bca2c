"""What helps an inspector along: reminders, a checklist, cases that belong together."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api.case_commands import register_staff_commands
from gateway.api.inquiry.commands import STAFF_COMMANDS

router = APIRouter(tags=["inquiry"])
register_staff_commands(router, STAFF_COMMANDS)
