"""Why a file of evidence is rejected, as its sender reads it, for the API and the pages alike."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.vocabulary import Language

ACCEPTED_TYPES: Mapping[Language, str] = {
    # Latin words apart from each other by Persian ones: side by side, or in brackets, they would be shown in reverse order.
    Language.FA: "عکس JPEG یا PNG یا WebP یا HEIC؛ سند PDF؛ صدای M4A یا MP3 یا OGG یا WAV؛ فیلم MP4 یا MOV یا WebM",
    Language.EN: "photos (JPEG, PNG, WebP, HEIC), PDF documents, sound (M4A, MP3, OGG, WAV) and film (MP4, MOV, WebM)",
}

_REASONS: Mapping[str, Mapping[Language, str]] = {
    "type_not_permitted": {
        Language.FA: "این نوع فایل پذیرفته نمی‌شود. آنچه پذیرفته می‌شود: {types}",
        Language.EN: "this type of file is not accepted. What is: {types}",
    },
    "empty": {Language.FA: "فایل خالی است", Language.EN: "the file is empty"},
    "too_large": {
        Language.FA: "فایل بزرگ‌تر از اندازه مجاز است؛ کوچک‌تر یا در چند بخش بفرستید",
        Language.EN: "the file is larger than allowed; send a smaller one, or several",
    },
    "damaged": {
        Language.FA: "فایل خراب است یا کامل نیست؛ نسخه سالم آن را بفرستید",
        Language.EN: "the file is damaged or not complete; send an intact copy",
    },
    "too_many_pixels": {
        Language.FA: "ابعاد عکس بیش از اندازه بزرگ است؛ با ابعاد کوچک‌تر ذخیره کنید و بفرستید",
        Language.EN: "the picture has too many pixels; save it smaller and send that",
    },
    "too_long": {
        Language.FA: "صدا یا فیلم بیش از اندازه طولانی است یا سند صفحه‌های بسیاری دارد؛ در چند بخش بفرستید",
        Language.EN: "the recording is too long, or the document has too many pages; send it in parts",
    },
    "encrypted": {
        Language.FA: "فایل گذرواژه دارد و باز نمی‌شود؛ نسخه بی‌گذرواژه آن را بفرستید",
        Language.EN: "the file needs a password and cannot be opened; send a copy without one",
    },
    "too_complex": {
        Language.FA: "بررسی این فایل ممکن نشد؛ نسخه ساده‌تری از آن بفرستید، مانند عکس صفحه",
        Language.EN: "the file could not be checked; send a simpler copy, such as a picture of the page",
    },
    "infected": {
        Language.FA: "فایل به بدافزار آلوده است؛ آن را باز نکنید و نسخه پاک آن را بفرستید",
        Language.EN: "the file carries malware; do not open it, and send a clean copy",
    },
    "incomplete": {
        Language.FA: "فایل تا پایان نرسید؛ دوباره بفرستید",
        Language.EN: "the file never arrived whole; send it again",
    },
    "unknown": {Language.FA: "فایل نرسیده است؛ دوباره بفرستید", Language.EN: "the file never arrived; send it again"},
    "expired": {
        Language.FA: "فایل دیر به درخواست پیوست و دیگر نگه داشته نمی‌شود؛ دوباره بفرستید",
        Language.EN: "the file is kept no longer; send it again",
    },
    "already_used": {
        Language.FA: "این فایل به درخواست دیگری پیوسته است؛ برای این پرونده دوباره بفرستید",
        Language.EN: "the file belongs to another submission; send it again for this case",
    },
}
_REASONS = {**_REASONS, "password": _REASONS["encrypted"]}
_OTHER = {
    Language.FA: "نتوانستیم فایل را بخوانیم؛ نسخه دیگری از آن بفرستید",
    Language.EN: "the file could not be read; send another copy",
}


def reason_text(reason: str | None, language: Language) -> str | None:
    """The sentence for a reason code of media's; None for none."""
    if reason is None:
        return None
    return _REASONS.get(reason, _OTHER)[language].format(types=ACCEPTED_TYPES[language])
