"""Staff sign in by OpenID Connect: authorisation code with PKCE, state and nonce. Accounts are matched by a claim, never made.

The browser keeps a secret (`sign_in`) from the beginning to the end. Without it a code and state are worth nothing, so that
nobody can be signed in with a code that another person brought from the provider.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from backbone import sealing
from backbone.process import logs
from backbone.process.settings import secret
from backbone.storage import audit
from backbone.storage.database import Database
from contracts.accounts import FinishOidcSignIn, SecondFactor, Tokens
from contracts.base import now
from contracts.errors import BadCredentials, NoStaffAccount, NotFound, OidcFailed, SecondFactorNeeded
from contracts.gateway import Actor
from contracts.own_account import BeginOidcSignIn, OidcAuthorisation, OidcOffer, ShowOidc
from contracts.vocabulary import ActorKind
from services.accounts.oidc import store
from services.accounts.oidc.rules import SIGN_IN_VALID, asked_for_second_factor, username_in
from services.accounts.second_factors.checking import SecondFactors
from services.accounts.settings import Settings
from services.accounts.staff import store as staff_store
from services.accounts.staff.rules import username_form
from services.accounts.staff.sign_in_attempts import SIGN_INS, DeviceTokens, SignInAttempts
from services.accounts.staff.use_cases import StaffUseCases

if TYPE_CHECKING:
    from services.accounts.oidc.provider import Provider

log = logs.get("oidc")

SIGN_IN = "sign_in_staff_by_oidc"
"""How the audit log names it."""


class OidcUseCases:
    def __init__(
        self,
        settings: Settings,
        staff: StaffUseCases,
        second_factors: SecondFactors,
        attempts: SignInAttempts,
        provider: Provider | None = None,
    ) -> None:
        self._settings, self._staff, self._second_factors, self._attempts = settings, staff, second_factors, attempts
        self._key = secret(settings.staff_secret_key)
        self._devices = DeviceTokens(self._key, settings.device_days)
        self._provider = provider or (_provider(settings) if settings.oidc_issuer else None)

    def show(self, _: ShowOidc) -> OidcOffer:
        """Whether it is on, and what its button says."""
        if self._provider is None:
            return OidcOffer(enabled=False)
        settings = self._settings
        return OidcOffer(enabled=True, name_fa=settings.oidc_name_fa, name_en=settings.oidc_name_en)

    def begin(self, database: Database, _: BeginOidcSignIn) -> OidcAuthorisation:
        """Where the browser goes, and what it keeps. NotFound, Unavailable."""
        provider = self._on()
        browser, state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        url, expires_at = provider.authorisation_url(state, nonce, verifier), now() + SIGN_IN_VALID
        values = {
            "browser_hash": _hash(browser),
            "state_hash": _hash(state),
            "nonce": nonce,
            "locked_verifier": sealing.encrypt(verifier, self._key),
            "expires_at": expires_at,
        }
        with database.transaction() as connection:
            store.begin(connection, values)
        return OidcAuthorisation(url=url, sign_in=browser, expires_at=expires_at)

    def finish(self, database: Database, request: FinishOidcSignIn) -> Tokens:
        """Tokens for who comes back from the provider. The provider's code is exchanged once; where a second factor is asked for
        as well, the same request comes again with it."""
        self._on()
        browser_hash = _hash(request.sign_in)
        with database.read() as connection:
            row = store.find(connection, browser_hash, _hash(request.state), now())
        if row is None or (row.used and row.staff_id is None):
            raise OidcFailed
        if row.staff_id is not None:
            with database.read() as connection:
                account = staff_store.by_id(connection, row.staff_id)
            return self._finish_with_second_factor(database, request, account, browser_hash)
        return self._exchange(database, request, row, browser_hash)

    def _exchange(self, database: Database, request: FinishOidcSignIn, row: Any, browser_hash: str) -> Tokens:
        with database.transaction() as connection:
            if not store.use(connection, browser_hash):
                raise OidcFailed
        settings = self._settings
        verifier = sealing.decrypt(row.locked_verifier, self._key)
        claims = self._on().claims(request.code, row.nonce, verifier, settings.oidc_username_claim)
        username = username_in(claims, settings.oidc_username_claim)
        with database.read() as connection:
            account = staff_store.by_username(connection, username_form(username)) if username else None
        if account is None or not account.active:
            SIGN_INS.labels("oidc_unknown").inc()
            log.warning("the provider signed in somebody without an open account")
            raise NoStaffAccount
        trusted = asked_for_second_factor(claims, settings.oidc_second_factor_acr, settings.oidc_second_factor_amr)
        if not trusted:
            with database.transaction() as connection:
                store.identify(connection, browser_hash, account.staff_id)
            if request.second_factor is None:
                raise SecondFactorNeeded
            return self._finish_with_second_factor(database, request, account, browser_hash)
        return self._enter(database, request, account, browser_hash, None)

    def _finish_with_second_factor(
        self, database: Database, request: FinishOidcSignIn, account: Any, browser_hash: str
    ) -> Tokens:
        if request.second_factor is None:
            raise SecondFactorNeeded
        if account is None:
            raise OidcFailed
        return self._enter(database, request, account, browser_hash, request.second_factor)

    def _enter(
        self,
        database: Database,
        request: FinishOidcSignIn,
        account: Any,
        browser_hash: str,
        factor: SecondFactor | None,
    ) -> Tokens:
        """A second factor is counted and slowed as in signing in by password (sign_in_attempts.py)."""
        device = self._devices.read(request.device_token, account.staff_id, account.password_hash)
        shown = None
        if factor is not None:
            with database.transaction() as connection:
                attempt = self._attempts.begin(
                    connection, account.username, request.address_key, device, worked=request.worked
                )
            with database.transaction() as connection:
                proof = self._second_factors.prove(connection, account.staff_id, account.locked_totp_secret, factor)
            if proof is None:
                with database.transaction() as connection:
                    self._attempts.failed(connection, attempt, account, password_fits=True)
                    actor = Actor(kind=ActorKind.STAFF, id=str(account.staff_id))
                    audit.note(connection, actor, SIGN_IN, [str(account.staff_id)], BadCredentials.code)
                SIGN_INS.labels("wrong").inc()
                raise BadCredentials
            shown = (attempt, proof)
        with database.transaction() as connection:
            current = staff_store.lock_by_id(connection, account.staff_id)
            if current is None or not current.active:
                raise NoStaffAccount
            if not store.end(connection, browser_hash):
                raise OidcFailed
            tokens = self._staff.enter(connection, current, shown, request.place, SIGN_IN)
        device_token = self._devices.issue(current.staff_id, current.password_hash, device)
        return tokens.model_copy(update={"device_token": device_token})

    def _on(self) -> Provider:
        if self._provider is None:
            raise NotFound
        return self._provider


def _provider(settings: Settings) -> Provider:
    # httpx is loaded where there is somebody to ask: most installations have no use for its 7 MB.
    from services.accounts.oidc.provider import Client, Provider

    client = Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else "",
        redirect_url=settings.oidc_redirect_url or f"{settings.public_url}/sign-in/oidc",
        scopes=settings.oidc_scopes,
    )
    return Provider(client)


def _hash(text: str) -> str:
    """Random values need neither salt nor slowness."""
    return hashlib.sha256(text.encode()).hexdigest()
