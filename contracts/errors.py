"""Every error a caller can meet, as a tree. Each leaf has a stable `code`, one HTTP status and fa and en texts.

    PeygirError
    ├── Invalid (422)            the input is wrong; nothing was changed
    │   ├── InvalidField         `fields` says which and why
    │   ├── UnknownUnit, UnknownGround, ClosedUnit, GroundNotForKind
    │   ├── CitizenConsentMissing, IdentityNeeded
    │   ├── UnknownUpload
    │   └── UnsupportedLanguage …
    ├── NotAuthenticated (401)   who are you?  BadCredentials, BadCode, TokenExpired
    ├── NotAllowed (403)         you are known, and may not; ConsentNeeded
    ├── NotFound (404)           there is no such thing, or not for you (the two are never told apart)
    ├── Conflict (409)           WrongStage, AlreadyHandles, NoLetter, OffsetConflict, SlotTaken, TooManyExports …
    ├── StaleVersion (412)       it has changed since you read it; `current` says to what
    ├── VersionNeeded (428)
    ├── TooLarge (413), UnsupportedMedia (415), ChecksumMismatch (460)
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
    """`params` fill the texts and are given to the caller; no secret and no personal data belongs in them."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    texts: ClassVar[Mapping[str, str]] = {
        "fa": "خطایی در سامانه رخ داد. دوباره تلاش کنید.",
        "en": "Something went wrong on our side. Please try again.",
    }

    def __init__(self, params: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        self.params: dict[str, Any] = {**(params or {}), **more}
        super().__init__(self.params)

    def text(self, language: str) -> str:
        """The sentence for the caller, in `language` (fa or en; anything else gets fa)."""
        template = self.texts.get(language) or self.texts["fa"]
        return template.format_map(_Blank(self.params))


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


class Invalid(PeygirError):
    code = "invalid"
    status = 422
    texts = {"fa": "درخواست پذیرفته نشد: ورودی درست نیست.", "en": "The request was not accepted: its input is wrong."}


class InvalidField(Invalid):
    """`fields`: list of {"field": "text", "reason": "…"}."""

    code = "invalid_field"
    texts = {"fa": "بعضی از خانه‌ها درست پر نشده‌اند.", "en": "Some fields are not filled in correctly."}


class UnknownUnit(Invalid):
    code = "unknown_unit"
    texts = {"fa": "واحدی با این کد نیست.", "en": "There is no unit with this code."}


class ClosedUnit(Invalid):
    code = "closed_unit"
    texts = {"fa": "این واحد تعطیل شده است؛ واحد دیگری برگزینید.", "en": "This unit is closed; choose another."}


class UnknownGround(Invalid):
    code = "unknown_ground"
    texts = {"fa": "محوری با این کد نیست.", "en": "There is no ground with this code."}


class GroundNotForKind(Invalid):
    code = "ground_not_for_kind"
    texts = {"fa": "این محور برای این نوع درخواست نیست.", "en": "This ground is not offered for this kind."}


class CitizenConsentMissing(Invalid):
    code = "citizen_consent_missing"
    texts = {
        "fa": "بدون رضایت ثبت‌شده شهروند، کسی به جای او درخواست ثبت نمی‌کند.",
        "en": "Nobody files for a citizen whose consent is not recorded.",
    }


class IdentityNeeded(Invalid):
    code = "identity_needed"
    status = 401
    texts = {
        "fa": "برای ثبت شکایت، نخست شماره همراه خود را با کد یک‌بارمصرف تأیید کنید.",
        "en": "To file a complaint, first verify your mobile with a one-time code.",
    }


class UnknownUpload(Invalid):
    code = "unknown_upload"
    texts = {
        "fa": "یکی از پیوست‌ها پیدا نشد یا کامل بارگذاری نشده است.",
        "en": "An attachment was not found or is not complete.",
    }


class NotAuthenticated(PeygirError):
    code = "not_authenticated"
    status = 401
    texts = {"fa": "نخست وارد شوید.", "en": "Sign in first."}


class BadCredentials(NotAuthenticated):
    code = "bad_credentials"
    texts = {"fa": "نام کاربری، گذرواژه یا کد درست نیست.", "en": "The user name, password or code is wrong."}


class BadCode(NotAuthenticated):
    code = "bad_code"
    texts = {"fa": "کد یک‌بارمصرف درست نیست یا زمان آن گذشته است.", "en": "The one-time code is wrong or has expired."}


class BadToken(NotAuthenticated):
    code = "bad_token"
    texts = {
        "fa": "نشست شما معتبر نیست یا زمان آن گذشته است؛ دوباره وارد شوید.",
        "en": "Your session is not valid or has expired; sign in again.",
    }


class NotAllowed(PeygirError):
    code = "not_allowed"
    status = 403
    texts = {"fa": "شما اجازه این کار را ندارید.", "en": "You are not allowed to do this."}


class ConsentNeeded(NotAllowed):
    code = "consent_needed"
    texts = {
        "fa": "هویت تنها با موافقت امین هویت و تا زمانی که او داده است باز می‌شود؛ نخست درخواست کنید.",
        "en": "An identity is opened only with a custodian's consent, and for as long as it was given; ask for it first.",
    }


class NotFound(PeygirError):
    code = "not_found"
    status = 404
    texts = {"fa": "چنین چیزی پیدا نشد.", "en": "There is no such thing."}


class UnknownTrackingCode(NotFound):
    code = "unknown_tracking_code"
    texts = {
        "fa": "این کد رهگیری درست نیست. ۱۶ رقم آن را دوباره بررسی کنید.",
        "en": "This tracking code is not right. Check its 16 digits again.",
    }


class UnknownCase(NotFound):
    code = "unknown_case"
    texts = {"fa": "پرونده‌ای با این مشخصات پیدا نشد.", "en": "No such case was found."}


class NotGenuine(NotFound):
    code = "not_genuine"
    texts = {
        "fa": "این رسید را سامانه ما امضا نکرده یا پس از امضا تغییر کرده است.",
        "en": "We did not sign this receipt, or it was changed afterwards.",
    }


class Conflict(PeygirError):
    code = "conflict"
    status = 409
    texts = {"fa": "این کار با وضع کنونی جور نیست.", "en": "This does not fit the present state."}


class AlreadyHandles(Conflict):
    """The case is this inspector's already: assigning it again would change nothing."""

    code = "already_handles"
    texts = {"fa": "این پرونده همین حالا در دست همین بازرس است.", "en": "This inspector already handles the case."}


class WrongStage(Conflict):
    """`stage`: the case's present stage; `command`: what was tried."""

    code = "wrong_stage"
    texts = {
        "fa": "پرونده اکنون در مرحله‌ای نیست که این کار شدنی باشد.",
        "en": "The case is not at a stage where this can be done.",
    }


class FourEyesNeeded(Conflict):
    code = "four_eyes_needed"
    texts = {
        "fa": "نتیجه این گونه پرونده را بازرس پیشنهاد می‌دهد و مدیر تأیید می‌کند.",
        "en": "For this kind of case the inspector proposes the decision and the head approves it.",
    }


class StillRegistering(Conflict):
    code = "still_registering"
    texts = {
        "fa": "درخواست شما رسیده و در حال ثبت است؛ کمی بعد دوباره تلاش کنید.",
        "en": "Your submission has arrived and is being registered; try again shortly.",
    }


class NoLetter(Conflict):
    code = "no_letter"
    texts = {
        "fa": "برای این پرونده نامه‌ای نیست؛ نامه پس از اعلام نتیجه یا رد درخواست آماده می‌شود.",
        "en": "There is no letter for this case; it is made once the case is decided or refused.",
    }


class OffsetConflict(Conflict):
    """`offset`: what the server has."""

    code = "offset_conflict"
    texts = {"fa": "جای ادامه بارگذاری درست نیست.", "en": "The upload's offset is not what the server has."}


class AlreadyDecided(Conflict):
    code = "already_decided"
    texts = {"fa": "درباره این درخواست پیش‌تر تصمیم گرفته شده است.", "en": "This request has been decided already."}


class SecondAdministratorNeeded(Conflict):
    """Whoever asked for a change, or whose own account it is, cannot confirm it."""

    code = "second_administrator_needed"
    texts = {
        "fa": "این تغییر را راهبر دیگری باید تأیید کند؛ نه کسی که آن را خواسته است و نه صاحب همان حساب.",
        "en": "Another administrator has to confirm this change: neither who asked for it nor whose account it is.",
    }


class StaffChangeOutdated(Conflict):
    """The account is not as it was when the change was asked for, the asker is no administrator any more, or it expired."""

    code = "staff_change_outdated"
    texts = {
        "fa": "از زمان این درخواست حساب تغییر کرده یا مهلت درخواست گذشته است؛ درخواست تازه‌ای لازم است.",
        "en": "The account was changed since this was asked for, or the request has expired; it has to be asked for anew.",
    }


class KeyReused(Conflict):
    code = "idempotency_key_reused"
    texts = {
        "fa": "این کلید پیش‌تر برای درخواست دیگری به کار رفته است.",
        "en": "This Idempotency-Key was used for another request.",
    }


class UnknownSlot(NotFound):
    code = "unknown_slot"
    texts = {"fa": "این وقت میان وقت‌های پیشنهادی نیست.", "en": "This time is not among those offered."}


class UnknownRoom(NotFound):
    code = "unknown_room"
    texts = {"fa": "اتاقی با این شناسه نیست یا بسته شده است.", "en": "There is no such room, or it is closed."}


class SlotTaken(Conflict):
    code = "slot_taken"
    texts = {"fa": "این وقت پر شده است؛ وقت دیگری برگزینید.", "en": "This time is taken; choose another."}


class SlotPast(Conflict):
    code = "slot_past"
    texts = {"fa": "زمان این وقت گذشته است.", "en": "This time has passed."}


class SlotOverlap(Conflict):
    code = "slot_overlap"
    texts = {
        "fa": "اتاق یا بازرس در این زمان وقت دیگری دارد.",
        "en": "The room or the inspector has another slot at this time.",
    }


class SlotInUse(Conflict):
    code = "slot_in_use"
    texts = {
        "fa": "کسی این وقت را گرفته است؛ نخست آن مراجعه را لغو کنید.",
        "en": "Somebody has a place in it; call that visit off first.",
    }


class WrongVisitState(Conflict):
    """`state`: the visit's present state, none when there is no visit; `command`: what was tried."""

    code = "wrong_visit_state"
    texts = {
        "fa": "مراجعه اکنون در وضعی نیست که این کار شدنی باشد.",
        "en": "The visit is not in a state where this can be done.",
    }


class VisitNotBegun(Conflict):
    code = "visit_not_begun"
    texts = {"fa": "زمان این مراجعه هنوز نرسیده است.", "en": "The time of this visit has not come yet."}


class EvidenceFull(Conflict):
    """`limit`: how many files of its citizen one case takes."""

    code = "evidence_full"
    texts = {
        "fa": "هر پرونده تا {limit} فایل از شما می‌پذیرد و به این شمار رسیده‌اید.",
        "en": "One case takes up to {limit} files from you, and that number is reached.",
    }


class TooManySearches(Conflict):
    """`limit`: how many one person may keep."""

    code = "too_many_searches"
    texts = {
        "fa": "بیش از {limit} جست‌وجو نگه داشته نمی‌شود؛ یکی را پاک کنید.",
        "en": "No more than {limit} searches are kept; drop one first.",
    }


class TooManyExports(Conflict):
    """`limit`: how many one person may have open at once."""

    code = "too_many_exports"
    texts = {
        "fa": "{limit} خروجی در دست ساخت دارید؛ بگذارید یکی تمام شود یا آن را لغو کنید.",
        "en": "You have {limit} exports in the making; let one end, or cancel it.",
    }


class ExportNotDone(Conflict):
    """`state`: the export's present state."""

    code = "export_not_done"
    texts = {"fa": "پرونده این خروجی آماده نیست.", "en": "The file of this export is not ready."}


class StaleVersion(PeygirError):
    """`current`: the version it has now; `changes`: what came after the caller's version."""

    code = "stale_version"
    status = 412
    texts = {"fa": "پس از آنکه آن را دیدید تغییر کرده است.", "en": "It has changed since you read it."}


class VersionNeeded(PeygirError):
    code = "version_needed"
    status = 428
    texts = {
        "fa": "سرآیند If-Match با نسخه‌ای که دیده‌اید لازم است.",
        "en": "An If-Match header with the version that was read is needed.",
    }


class TooLarge(PeygirError):
    code = "too_large"
    status = 413
    texts = {"fa": "اندازه بیش از حد مجاز است.", "en": "It is larger than allowed."}


class UnsupportedMedia(PeygirError):
    code = "unsupported_media"
    status = 415
    texts = {"fa": "این نوع محتوا پذیرفته نمی‌شود.", "en": "This type of content is not accepted."}


class ChecksumMismatch(PeygirError):
    code = "checksum_mismatch"
    status = 460
    texts = {
        "fa": "داده در راه آسیب دیده است؛ همین بخش را دوباره بفرستید.",
        "en": "The data was damaged on its way; send this part again.",
    }


class Gone(PeygirError):
    code = "gone"
    status = 410
    texts = {"fa": "این مورد دیگر در دسترس نیست.", "en": "This is no longer available."}


class TooMany(PeygirError):
    """`retry_after`: seconds; the text says them in words where they are known. `challenge`, where there is one: what may be
    solved instead of waiting, {"token", "algorithm", "bits"} (docs/adr/0010-graded-limits.md)."""

    code = "too_many"
    status = 429
    texts = {
        "fa": "تعداد درخواست‌ها زیاد است؛ کمی بعد دوباره تلاش کنید.",
        "en": "Too many requests; try again in a while.",
    }
    timed_texts: ClassVar[Mapping[str, str]] = {
        "fa": "تعداد درخواست‌ها زیاد است؛ {wait} دیگر دوباره تلاش کنید.",
        "en": "Too many requests; try again in {wait}.",
    }

    def text(self, language: str) -> str:
        seconds = self.params.get("retry_after")
        if not isinstance(seconds, int | float):
            return super().text(language)
        template = self.timed_texts.get(language) or self.timed_texts["fa"]
        return template.format(wait=duration_text(seconds, language))


class TooManyUploads(TooMany):
    """Of one address: files that are not finished, or that no case refers to yet."""

    code = "too_many_uploads"
    texts = {
        "fa": "از نشانی شما فایل‌های ناتمام یا ثبت‌نشده زیادی در راه است. کمی بعد دوباره بفرستید؛"
        " درخواست را هم می‌توانید بدون فایل ثبت کنید و مدرک را بعداً با کد رهگیری بفرستید.",
        "en": "Too many files from your address are unfinished or belong to no submission yet. Try again in a while; you can"
        " also file without files and send evidence later with your tracking code.",
    }


class Unavailable(PeygirError):
    """`retry_after`: seconds."""

    code = "unavailable"
    status = 503
    texts = {
        "fa": "سامانه اکنون در دسترس نیست؛ چیزی ثبت نشد. کمی بعد دوباره تلاش کنید.",
        "en": "The system is not available now; nothing was stored. Try again in a while.",
    }


class EvidenceUnavailable(Unavailable):
    """Files cannot be taken now: the store is full or away. Submissions are taken all the same."""

    code = "evidence_unavailable"
    texts = {
        "fa": "اکنون فایلی پذیرفته نمی‌شود. درخواست بدون فایل هم ثبت می‌شود و مدرک را بعداً با کد رهگیری می‌توانید بفرستید.",
        "en": "Files cannot be accepted just now. You can file without them, and send evidence later with your tracking code.",
    }


class DeadlinePassed(Unavailable):
    """The service did not answer in time; whether a command had its effect is told by repeating it with its key."""

    code = "deadline_passed"
    status = 504
    texts = {"fa": "پاسخ به‌موقع نرسید؛ دوباره تلاش کنید.", "en": "No answer came in time; try again."}


class StatusUnavailable(Unavailable):
    """A good code, and nobody who can say now how its case stands: whether it has one yet is not known either."""

    code = "status_unavailable"
    texts = {
        "fa": "وضعیت را اکنون نمی‌توان خواند؛ آنچه ثبت کرده‌اید محفوظ است و لازم نیست دوباره بفرستید."
        " چند دقیقه دیگر نگاه کنید.",
        "en": "The status cannot be read just now. What you filed is safe and need not be sent again; look again in a few"
        " minutes.",
    }


_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_UNITS = ((3_600, "ساعت", "hour"), (60, "دقیقه", "minute"), (1, "ثانیه", "second"))


def duration_text(seconds: float, language: str) -> str:
    """A length of time in words, rounded up to what one waits by: «۲ دقیقه», "45 seconds"."""
    whole = max(1, -int(-seconds // 1))
    size, fa, en = next(unit for unit in _UNITS if whole >= 2 * unit[0] or unit[0] == 1)
    count = -(-whole // size)
    if language == "en":
        return f"{count} {en}{'' if count == 1 else 's'}"
    return f"{count} {fa}".translate(_PERSIAN_DIGITS)


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
