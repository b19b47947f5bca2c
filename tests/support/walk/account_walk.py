"""One's own account: everybody about themselves alone; who has no account of staff has none to change."""

from __future__ import annotations

import uuid
from typing import Any

from contracts import own_account
from contracts.accounts import SecondFactor
from contracts.vocabulary import ActorKind
from tests.support.walk.oracle import Person
from tests.support.walk.witness import ServiceWalk


class AccountWalk(ServiceWalk):
    """What somebody may change about how they sign in."""

    def _own(self, person: Person) -> dict[str, Any]:
        return {"actor": self.actor(person), "session_id": uuid.uuid4()}

    def _of_staff(self, person: Person, name: str, request: Any, wrong: str | None = "invalid_field") -> Any:
        """`wrong`: how it is refused to who has an account, since they show nothing."""
        answer, code = self.ask(person, name, request)
        if not (person.staff and person.active):
            self.refused(person, name, code)
        else:
            self.same(person, name, code, wrong)
        return answer

    def _guarded(self, person: Person, method: str, request: type[Any], **more: Any) -> None:
        factor = SecondFactor(recovery_code="00000-00000")
        self._of_staff(person, f"accounts.{method}", request(second_factor=factor, **more, **self._own(person)))

    def accounts_change_password(self, person: Person) -> None:
        request = own_account.ChangePassword(current_password="x", new_password="x", **self._own(person))
        self._of_staff(person, "accounts.change_password", request)

    def accounts_show_second_factors(self, person: Person) -> None:
        request = own_account.ShowSecondFactors(**self._own(person))
        self._of_staff(person, "accounts.show_second_factors", request, None)

    def accounts_begin_totp_enrolment(self, person: Person) -> None:
        self._guarded(person, "begin_totp_enrolment", own_account.BeginTotpEnrolment)

    def accounts_confirm_totp_enrolment(self, person: Person) -> None:
        request = own_account.ConfirmTotpEnrolment(totp="000000", **self._own(person))
        self._of_staff(person, "accounts.confirm_totp_enrolment", request, "no_totp_enrolment")

    def accounts_remove_totp(self, person: Person) -> None:
        self._guarded(person, "remove_totp", own_account.RemoveTotp)

    def accounts_renew_recovery_codes(self, person: Person) -> None:
        self._guarded(person, "renew_recovery_codes", own_account.RenewRecoveryCodes)

    def accounts_begin_passkey_registration(self, person: Person) -> None:
        # The world's installation has no host that they could belong to.
        factor = SecondFactor(recovery_code="00000-00000")
        request = own_account.BeginPasskeyRegistration(second_factor=factor, **self._own(person))
        _, code = self.ask(person, "accounts.begin_passkey_registration", request)
        self.refused(person, "accounts.begin_passkey_registration", code, {"passkeys_unavailable"})

    def accounts_add_passkey(self, person: Person) -> None:
        request = own_account.AddPasskey(name="x", credential="{}", **self._own(person))
        self._of_staff(person, "accounts.add_passkey", request)

    def accounts_rename_passkey(self, person: Person) -> None:
        request = own_account.RenamePasskey(name="x", passkey_id=uuid.uuid4(), **self._own(person))
        self._of_staff(person, "accounts.rename_passkey", request, "not_found")

    def accounts_remove_passkey(self, person: Person) -> None:
        self._guarded(person, "remove_passkey", own_account.RemovePasskey, passkey_id=uuid.uuid4())

    def accounts_list_own_sessions(self, person: Person) -> None:
        sessions, code = self.ask(
            person, "accounts.list_own_sessions", own_account.ListOwnSessions(**self._own(person))
        )
        if person.actor is None or person.actor.kind is ActorKind.BEARER:
            self.refused(person, "accounts.list_own_sessions", code)
            return
        query = f"SELECT session_id FROM sessions WHERE subject_id = '{person.actor.id}'"
        own = {row["session_id"] for row in self.world.rows("accounts", query)}
        self.same(person, "accounts.list_own_sessions", {item.session_id for item in sessions.items} - own, set())

    def accounts_end_own_session(self, person: Person) -> None:
        mine = "" if person.actor is None or person.actor.kind is ActorKind.BEARER else str(person.actor.id)
        for row in self.world.rows("accounts", "SELECT session_id, subject_id FROM sessions")[:4]:
            if str(row["subject_id"]) != mine:
                request = own_account.EndOwnSession(ended=row["session_id"], **self._own(person))
                _, code = self.ask(person, "accounts.end_own_session", request)
                self.refused(person, "accounts.end_own_session", code)
