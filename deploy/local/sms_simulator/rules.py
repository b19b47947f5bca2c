"""Kavenegar's rules and texts: codes, numbers, links, parts, tokens. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping

QUEUED, SCHEDULED, AT_TELECOM, SENT_ON, FAILED = 1, 2, 4, 5, 6
DELIVERED, UNDELIVERED, CANCELLED, BLOCKED, INVALID = 10, 11, 13, 14, 100
FINAL = frozenset({FAILED, DELIVERED, UNDELIVERED, CANCELLED, BLOCKED, INVALID})

STATUS_TEXTS = {
    QUEUED: "در صف ارسال",
    SCHEDULED: "زمان بندی شده",
    AT_TELECOM: "ارسال به مخابرات",
    SENT_ON: "ارسال به مخابرات",
    FAILED: "خطا در ارسال پیام",
    DELIVERED: "رسیده به گیرنده",
    UNDELIVERED: "نرسیده به گیرنده",
    CANCELLED: "لغو شده",
    BLOCKED: "بلاک شده",
    INVALID: "شناسه پیامک نامعتبر است",
}

RETURN_TEXTS = {
    200: "تایید شد",
    400: "پارامترها ناقص هستند",
    401: "حساب کاربری غیرفعال شده است",
    402: "عملیات ناموفق بود",
    403: "کد شناسائی API-Key معتبر نمی‌باشد",
    404: "متد نامشخص است",
    405: "متد Get/Post اشتباه است",
    406: "پارامترهای اجباری خالی ارسال شده اند",
    407: "دسترسی به اطلاعات مورد نظر برای شما امکان پذیر نیست",
    409: "سرور قادر به پاسخگوئی نیست بعدا تلاش کنید",
    411: "دریافت کننده نامعتبر است",
    412: "ارسال کننده نامعتبر است",
    413: "پیام خالی است و یا طول پیام بیش از حد مجاز می‌باشد",
    414: "حجم درخواست بیشتر از حد مجاز است",
    416: "IP سرویس مبدا با تنظیمات مطابقت ندارد",
    417: "تاریخ ارسال اشتباه است",
    418: "اعتبار شما کافی نمی‌باشد",
    419: "طول آرایه متن و گیرنده و فرستنده هم اندازه نیست",
    420: "استفاده از لینک در متن پیام برای شما محدود شده است",
    422: "داده ها به دلیل وجود کاراکتر نامناسب قابل پردازش نیست",
    424: "الگوی مورد نظر پیدا نشد",
    426: "استفاده از این متد نیازمند سرویس پیشرفته می‌باشد",
    428: "ارسال کد از طریق تماس تلفنی امکان پذیر نیست",
    431: "ساختار کد صحیح نمی‌باشد",
    432: "پارامتر کد در متن پیام پیدا نشد",
    451: "فراخوانی بیش از حد در بازه زمانی مشخص",
}

MAX_RECEPTORS = 200
MAX_TEXT = 1_800
MAX_STATUS_IDS = 500
STATUS_WINDOW = 48 * 3600
LOCAL_ID_WINDOW = 12 * 3600
TOKEN_SPACES = {"token": 0, "token2": 0, "token3": 0, "token10": 5, "token20": 8}

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = frozenset("^{}\\[~]|€")
_LINK = re.compile(r"https?://|www\.|\b[a-z0-9-]+\.(?:ir|com|org|net|io|info|app|me)\b", re.IGNORECASE)
_MOBILE = re.compile(r"^(?:\+98|0098|98|0)?(9\d{9})$")


class Refused(Exception):
    """The provider refuses; `code` is return.status, and the HTTP status where it is one."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code} {RETURN_TEXTS.get(code, '')}".strip())
        self.code = code

    @property
    def http_status(self) -> int:
        return self.code if 400 <= self.code < 600 else 400


def local_mobile(receptor: str) -> str:
    """09xxxxxxxxx, whichever way it was written. Raises `Refused` 411."""
    match = _MOBILE.match(receptor.strip().replace(" ", ""))
    if match is None:
        raise Refused(411)
    return "0" + match.group(1)


def parts(text: str) -> int:
    """How many SMS a text costs: 160 then 153 of GSM's letters, otherwise 70 then 67 UTF-16 units."""
    if all(letter in _GSM or letter in _GSM_DOUBLE for letter in text):
        length = sum(2 if letter in _GSM_DOUBLE else 1 for letter in text)
        alone, in_parts = 160, 153
    else:
        length = len(text.encode("utf-16-le")) // 2
        alone, in_parts = 70, 67
    return 1 if length <= alone else -(-length // in_parts)


def check_text(text: str) -> str:
    if not text.strip() or len(text) > MAX_TEXT:
        raise Refused(413)
    if any(ord(letter) < 32 and letter not in "\n\r\t" for letter in text):
        raise Refused(422)
    if _LINK.search(text):
        raise Refused(420)
    return text


def fill(template: str, tokens: Mapping[str, str]) -> str:
    """The text of verify/lookup. Raises 406 (no token), 431 (its structure), 432 (not in the template), 420 (link)."""
    if not tokens.get("token"):
        raise Refused(406)
    for name, value in tokens.items():
        if f"%{name}" not in re.findall(r"%token\d*", template):
            raise Refused(432)
        if len(value) > 100 or "\n" in value or "_" in value or value.count(" ") > TOKEN_SPACES[name]:
            raise Refused(431)
        if _LINK.search(value):
            raise Refused(420)

    def value_of(match: re.Match[str]) -> str:
        if match.group(1) not in tokens:
            raise Refused(406)
        return tokens[match.group(1)]

    return re.sub(r"%(token\d*)", value_of, template)
