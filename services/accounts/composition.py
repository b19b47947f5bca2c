"""The composition root: each use case is given what it needs, one object for the process of each shared thing."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.process.settings import secret
from services.accounts.administration.use_cases import AdministrationUseCases
from services.accounts.changes.use_cases import StaffChangeUseCases
from services.accounts.citizens.use_cases import CitizenUseCases
from services.accounts.leaves.use_cases import LeaveUseCases
from services.accounts.pruning import Pruning
from services.accounts.sessions.access_tokens import AccessTokens
from services.accounts.sessions.use_cases import SessionUseCases
from services.accounts.settings import Settings
from services.accounts.staff.sign_in_attempts import SignInAttempts
from services.accounts.staff.staff_accounts import StaffAccounts
from services.accounts.staff.use_cases import RunSlow, StaffUseCases, current_subject


@dataclass(frozen=True)
class AccountsUseCases:
    """The use cases by capability."""

    citizens: CitizenUseCases
    staff: StaffUseCases
    sessions: SessionUseCases
    administration: AdministrationUseCases
    changes: StaffChangeUseCases
    leaves: LeaveUseCases
    pruning: Pruning


def compose(settings: Settings, run_slow: RunSlow = lambda work: work()) -> AccountsUseCases:
    """All of them, for one process. `run_slow` runs slow arithmetic where it does not hold up other requests."""
    staff_key = secret(settings.staff_secret_key)
    access_tokens = AccessTokens(settings)
    attempts = SignInAttempts(staff_key)
    accounts = StaffAccounts(staff_key)
    sessions = SessionUseCases(settings, access_tokens, current_subject)
    citizens = CitizenUseCases(settings, sessions)
    changes = StaffChangeUseCases(settings, accounts)
    return AccountsUseCases(
        citizens=citizens,
        staff=StaffUseCases(settings, access_tokens, sessions, attempts, run_slow),
        sessions=sessions,
        administration=AdministrationUseCases(accounts, changes),
        changes=changes,
        leaves=LeaveUseCases(),
        pruning=Pruning(citizens, sessions, attempts),
    )
