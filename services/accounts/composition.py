"""The composition root: each use case is given what it needs, one object for the process of each shared thing."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.process.settings import secret
from services.accounts.administration.use_cases import AdministrationUseCases
from services.accounts.changes.use_cases import StaffChangeUseCases
from services.accounts.citizens.use_cases import CitizenUseCases
from services.accounts.leaves.use_cases import LeaveUseCases
from services.accounts.oidc.use_cases import OidcUseCases
from services.accounts.operations.use_cases import OperationsUseCases
from services.accounts.passkeys.ceremonies import PasskeyUses, RelyingParty
from services.accounts.passkeys.use_cases import PasskeyUseCases
from services.accounts.passwords.breached import BreachedPasswords
from services.accounts.passwords.use_cases import PasswordUseCases
from services.accounts.pruning import Pruning
from services.accounts.second_factors.checking import Guard, SecondFactors
from services.accounts.second_factors.use_cases import SecondFactorUseCases
from services.accounts.sessions.access_tokens import AccessTokens
from services.accounts.sessions.browser_sessions import BrowserSessionUseCases
from services.accounts.sessions.own_sessions import OwnSessionUseCases
from services.accounts.sessions.use_cases import SessionUseCases
from services.accounts.settings import Settings
from services.accounts.staff.sign_in_attempts import SignInAttempts
from services.accounts.staff.slow_work import RunSlow, run_here
from services.accounts.staff.staff_accounts import StaffAccounts
from services.accounts.staff.use_cases import StaffUseCases, current_subject


@dataclass(frozen=True)
class AccountsUseCases:
    """The use cases by capability."""

    citizens: CitizenUseCases
    staff: StaffUseCases
    sessions: SessionUseCases
    browser_sessions: BrowserSessionUseCases
    administration: AdministrationUseCases
    changes: StaffChangeUseCases
    leaves: LeaveUseCases
    pruning: Pruning
    passwords: PasswordUseCases
    second_factors: SecondFactorUseCases
    passkeys: PasskeyUseCases
    own_sessions: OwnSessionUseCases
    oidc: OidcUseCases
    operations: OperationsUseCases


def compose(settings: Settings, run_slow: RunSlow = run_here) -> AccountsUseCases:
    """All of them, for one process. `run_slow` runs slow arithmetic where it does not hold up other requests."""
    staff_key = secret(settings.staff_secret_key)
    access_tokens = AccessTokens(settings)
    attempts = SignInAttempts(staff_key)
    accounts = StaffAccounts(staff_key)
    party = RelyingParty(settings.passkey_origin or settings.public_url)
    checker = SecondFactors(staff_key, PasskeyUses(party))
    guard = Guard(checker, attempts)
    second_factors = SecondFactorUseCases(staff_key, party, checker, guard)
    sessions = SessionUseCases(settings, access_tokens, current_subject)
    staff = StaffUseCases(settings, access_tokens, sessions, attempts, checker, run_slow)
    citizens = CitizenUseCases(settings, sessions)
    changes = StaffChangeUseCases(settings, accounts)
    return AccountsUseCases(
        citizens=citizens,
        staff=staff,
        sessions=sessions,
        browser_sessions=BrowserSessionUseCases(settings, access_tokens, sessions, current_subject),
        administration=AdministrationUseCases(accounts, changes),
        changes=changes,
        leaves=LeaveUseCases(),
        pruning=Pruning(citizens, sessions, attempts),
        passwords=PasswordUseCases(settings, attempts, BreachedPasswords(settings.breached_passwords_file), run_slow),
        second_factors=second_factors,
        passkeys=PasskeyUseCases(party, guard, second_factors),
        own_sessions=OwnSessionUseCases(),
        oidc=OidcUseCases(settings, staff, checker, attempts),
        operations=OperationsUseCases(settings.amqp_url.get_secret_value()),
    )
