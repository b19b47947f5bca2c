"""Every error a caller can meet, as a tree. Each leaf has a stable `code` and one HTTP status; what a
person reads of it is in texts/errors.toml.

    PeygirError
    ├── Invalid (422)            the input is wrong; nothing was changed
    │   ├── InvalidField         `fields` says which and why
    │   ├── UnknownUnit, UnknownGround, ClosedUnit, GroundNotForKind
    │   ├── CitizenConsentMissing, IdentityNeeded
    │   ├── UnknownUpload
    │   └── UnsupportedLanguage …
    ├── NotAuthenticated (401)   who are you?  BadCredentials, BadCode, TokenExpired
    ├── NotAllowed (403)         you are known, and may not; ConsentNeeded, IdentityNotConfirmed
    ├── NotFound (404)           there is no such thing, or not for you (the two are never told apart)
    ├── Conflict (409)           WrongStage, AlreadyHandles, NoLetter, OffsetConflict, SlotTaken, TooManyExports …
    ├── StaleVersion (412)       it has changed since you read it; `current` says to what
    ├── VersionNeeded (428)
    ├── TooLarge (413), ReferralTooLarge, UnsupportedMedia (415), ChecksumMismatch (460)
    ├── TooMany (429)            `retry_after` seconds; TooManyUploads
    └── Unavailable (503)        `retry_after` seconds; nothing half done. DeadlinePassed (504), StatusUnavailable,
                                 EvidenceUnavailable

Over RPC an error travels as its class name and one dict of parameters (nameko's exc_type and exc_args), so the
gateway finds the same class again: `from_wire`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class PeygirError(Exception):
    """`params` fill the text and are given to the caller; no secret and no personal data belongs in them."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, params: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        self.params: dict[str, Any] = {**(params or {}), **more}
        super().__init__(self.params)


class Invalid(PeygirError):
    code = "invalid"
    status = 422


class InvalidField(Invalid):
    """`fields`: list of {"field": "text", "reason": "…"}."""

    code = "invalid_field"


class UnknownUnit(Invalid):
    code = "unknown_unit"


class ClosedUnit(Invalid):
    code = "closed_unit"


class UnknownGround(Invalid):
    code = "unknown_ground"


class GroundNotForKind(Invalid):
    code = "ground_not_for_kind"


class CitizenConsentMissing(Invalid):
    code = "citizen_consent_missing"


class IdentityNeeded(Invalid):
    code = "identity_needed"
    status = 401


class UnknownUpload(Invalid):
    code = "unknown_upload"


class NotAuthenticated(PeygirError):
    code = "not_authenticated"
    status = 401


class BadCredentials(NotAuthenticated):
    code = "bad_credentials"


class SecondFactorNeeded(NotAuthenticated):
    """The provider has said who it is, and the second factor is to be given with the same request."""

    code = "second_factor_needed"


class OidcFailed(NotAuthenticated):
    """Signing in by the provider did not succeed; it is to be begun anew."""

    code = "oidc_failed"


class BadCode(NotAuthenticated):
    code = "bad_code"


class BadToken(NotAuthenticated):
    code = "bad_token"


class NotAllowed(PeygirError):
    code = "not_allowed"
    status = 403


class CsrfRefused(NotAllowed):
    """A browser sent it with the cookie of its session, and not from a page of ours. `why`: "header", X-Peygir-CSRF is missing;
    "origin", another site, or the browser does not say."""

    code = "csrf_refused"


class NoStaffAccount(NotAllowed):
    """The provider knows this person, and there is no account for them here; none is made."""

    code = "no_staff_account"


class ConsentNeeded(NotAllowed):
    code = "consent_needed"


class IdentityNotConfirmed(NotAllowed):
    """What was answered does not show that a case is this person's. Which answer was wrong, or whether there is such a case,
    is not told."""

    code = "identity_not_confirmed"


class NotFound(PeygirError):
    code = "not_found"
    status = 404


class UnknownTrackingCode(NotFound):
    code = "unknown_tracking_code"


class UnknownCase(NotFound):
    code = "unknown_case"


class NotGenuine(NotFound):
    code = "not_genuine"


class Conflict(PeygirError):
    code = "conflict"
    status = 409


class NobodyAnswersForUnit(Conflict):
    """No liaison answers for this unit or one above it. `unit`, `name_fa`, `name_en`: which one."""

    code = "unit_without_liaison"


class TextsErased(Conflict):
    code = "texts_erased"


class AlreadyHandles(Conflict):
    """The case is this inspector's already: assigning it again would change nothing."""

    code = "already_handles"


class WrongStage(Conflict):
    """`stage`: the case's present stage; `command`: what was tried."""

    code = "wrong_stage"


class FourEyesNeeded(Conflict):
    code = "four_eyes_needed"


class HeadNeeded(Conflict):
    """The case has gone from unit to unit so often that only a head sends it on. `transfers`: how often."""

    code = "head_needed"


class NotSettleable(Conflict):
    """Reports, and what was filed anonymously: nobody is known whose word could settle it."""

    code = "not_settleable"


class NotResendable(Conflict):
    """It was not given up, nobody knows any more where it should go, or it has been sent again often enough."""

    code = "not_resendable"


class StillRegistering(Conflict):
    code = "still_registering"


class NoLetter(Conflict):
    code = "no_letter"


class OffsetConflict(Conflict):
    """`offset`: what the server has."""

    code = "offset_conflict"


class AlreadyDecided(Conflict):
    code = "already_decided"


class CorrectionTooLate(Conflict):
    """The days are over in which an operator corrects what they filed; a head still may."""

    code = "correction_too_late"


class AnonymousFiling(Conflict):
    """Nobody is named in it: there is no mobile to correct."""

    code = "anonymous_filing"


class SecondAdministratorNeeded(Conflict):
    """Whoever requested a change, or whose own account it is, cannot confirm it."""

    code = "second_administrator_needed"


class StaffChangeOutdated(Conflict):
    """The account is not as it was when the change was requested, the requester is no administrator any more, or it expired."""

    code = "staff_change_outdated"


class KeyReused(Conflict):
    code = "idempotency_key_reused"


class UnknownSlot(NotFound):
    code = "unknown_slot"


class UnknownRoom(NotFound):
    code = "unknown_room"


class SlotTaken(Conflict):
    code = "slot_taken"


class SlotPast(Conflict):
    code = "slot_past"


class SlotOnHoliday(Conflict):
    """The day of this slot has become a holiday."""

    code = "slot_on_holiday"


class SlotOverlap(Conflict):
    code = "slot_overlap"


class SlotInUse(Conflict):
    code = "slot_in_use"


class WrongVisitState(Conflict):
    """`state`: the visit's present state, none when there is no visit; `command`: what was tried."""

    code = "wrong_visit_state"


class VisitNotBegun(Conflict):
    code = "visit_not_begun"


class EvidenceFull(Conflict):
    """`limit`: how many files of its citizen one case takes."""

    code = "evidence_full"


class MessagesFull(Conflict):
    """`limit`: how many messages of its citizen one case takes, their corrections among them; `characters`: of how many
    characters together."""

    code = "messages_full"


class TooLate(Conflict):
    """What was sent can be neither corrected nor taken back any more. `until`: the moment till which it could; None where
    something else ended it, as the first reading does for what was filed."""

    code = "too_late"


class TooManySearches(Conflict):
    """`limit`: how many one person may keep."""

    code = "too_many_searches"


class TooManyExports(Conflict):
    """`limit`: how many one person may have open at once."""

    code = "too_many_exports"


class ExportNotDone(Conflict):
    """`state`: the export's present state."""

    code = "export_not_done"


class LastSecondFactor(Conflict):
    """An account of staff always has a second factor."""

    code = "last_second_factor"


class NoTotpEnrolment(Conflict):
    code = "no_totp_enrolment"


class PasskeysUnavailable(Conflict):
    """PUBLIC_URL names no host that passkeys can belong to."""

    code = "passkeys_unavailable"


class TooManyPasskeys(Conflict):
    """`limit`: how many one account may have."""

    code = "too_many_passkeys"


class TooManyBulks(Conflict):
    """`limit`: how many one person may have under way at once."""

    code = "too_many_bulks"


class TooManyCases(Conflict):
    """`limit`: cases that one bulk may have; `found`: how many the search found."""

    code = "too_many_cases"


class NothingSelected(Conflict):
    """The search finds no case."""

    code = "nothing_selected"


class TooManyMacros(Conflict):
    """`limit`: how many one person may keep."""

    code = "too_many_macros"


class MacroStepRefused(Conflict):
    """`step`: which, 1 is the first; `command`: its type; `refusal`: the code that the command alone is refused with, and
    `refusal_params`: its parameters. No step has been done."""

    code = "macro_step_refused"


class NoValue(Conflict):
    """`placeholder`: the name of one that this case has no value for."""

    code = "no_value"


class StaleVersion(PeygirError):
    """`current`: the version it has now; `changes`: what came after the caller's version; `case`: of a command on a case, the
    whole of it as its giver reads it now."""

    code = "stale_version"
    status = 412


class VersionNeeded(PeygirError):
    code = "version_needed"
    status = 428


class TooLarge(PeygirError):
    code = "too_large"
    status = 413


class ReferralTooLarge(TooLarge):
    """`limit`: megabytes that a package may hold."""

    code = "referral_too_large"


class UnsupportedMedia(PeygirError):
    code = "unsupported_media"
    status = 415


class ChecksumMismatch(PeygirError):
    code = "checksum_mismatch"
    status = 460


class Gone(PeygirError):
    code = "gone"
    status = 410


class TooMany(PeygirError):
    """`retry_after`: seconds; the text names them where they are known. `challenge`, where there is one: what may be
    solved instead of waiting, {"token", "algorithm", "bits"} (docs/adr/0010-graded-limits.md)."""

    code = "too_many"
    status = 429


class TooManyUploads(TooMany):
    """Of one address: files that are not finished, or that no case refers to yet."""

    code = "too_many_uploads"


class Unavailable(PeygirError):
    """`retry_after`: seconds."""

    code = "unavailable"
    status = 503


class EvidenceUnavailable(Unavailable):
    """Files cannot be taken now: the store is full or away. Submissions are taken all the same."""

    code = "evidence_unavailable"


class DeadlinePassed(Unavailable):
    """The service did not answer in time; whether a command had its effect is told by repeating it with its key."""

    code = "deadline_passed"
    status = 504


class StatusUnavailable(Unavailable):
    """A good code, and nobody who can say now how its case stands: whether it has one yet is not known either."""

    code = "status_unavailable"


def _leaves(cls: type[PeygirError]) -> list[type[PeygirError]]:
    return [cls, *(leaf for child in cls.__subclasses__() for leaf in _leaves(child))]


def every_error() -> dict[str, type[PeygirError]]:
    """All errors by class name."""
    return {cls.__name__: cls for cls in _leaves(PeygirError)}


def from_wire(exc_type: str, exc_args: list[Any]) -> PeygirError:
    """The error that a service raised, from nameko's answer; one nobody knows becomes a plain `PeygirError`."""
    cls = every_error().get(exc_type, PeygirError)
    params = exc_args[0] if cls is not PeygirError and exc_args and isinstance(exc_args[0], dict) else {}
    return cls(params)


def of_code(code: str, params: Mapping[str, Any]) -> PeygirError:
    """The error with this code, as it was kept; one nobody knows becomes a plain `PeygirError`."""
    cls = next((cls for cls in every_error().values() if cls.code == code), PeygirError)
    return cls(params)
