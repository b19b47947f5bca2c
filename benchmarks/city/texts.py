"""The texts of the made-up city: citizens' complaints from the corpus, and what the office answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from contracts.vocabulary import Kind, Outcome, RefusalReason

STREETS = (
    *("خیابان فلسطین", "میدان آزادی", "بلوار نوروزیان", "کوی دانشگاه", "بازار", "خیابان نادری", "مینودر"),
    *("خیابان سپه", "خیابان سعدی", "خیابان خیام", "بلوار مدرس", "پونک", "ملاصدرا", "شهرک جهاد", "خیابان هلال احمر"),
    *("خیابان شهید انصاری", "چهارراه ولیعصر", "خیابان راه‌آهن", "بلوار شهید بهشتی", "کوثر", "خیابان تهران قدیم"),
)
REASONS: dict[Outcome, tuple[str, ...]] = {
    Outcome.UPHELD: (
        "با بازدید از محل و بررسی پرونده روشن شد که واحد در مهلت مقرر به وظیفه خود عمل نکرده است؛ شکایت وارد است.",
        "مدارک شاکی با سوابق واحد تطبیق داده شد و درست بود. به واحد تذکر داده شد و کار انجام گرفت.",
    ),
    Outcome.PARTLY_UPHELD: (
        "بخشی از تأخیر به نقص مدارک مربوط است و بخشی به واحد؛ شکایت در همان بخش دوم وارد است.",
        "رفتار کارمند مطابق منشور حقوق شهروندی نبوده، ولی مبلغ دریافت‌شده برابر تعرفه مصوب است.",
    ),
    Outcome.NOT_UPHELD: (
        "برابر ضوابط شهرسازی و سوابق موجود، اقدام واحد قانونی و در مهلت بوده است؛ شکایت وارد نیست.",
        "بازدید انجام شد و موضوع گزارش در محل مشاهده نشد. در صورت تکرار دوباره ثبت کنید.",
    ),
    Outcome.SETTLED: ("با حضور طرفین توافق شد که واحد ظرف یک هفته کار را انجام دهد و شاکی رضایت داد.",),
    Outcome.REFERRED: ("رسیدگی به این موضوع در صلاحیت هیئت تخلفات اداری است و پرونده به آن مرجع فرستاده شد.",),
}
REFUSALS: dict[RefusalReason, str] = {
    RefusalReason.OUTSIDE_REMIT: "این موضوع به شهرداری مربوط نیست؛ به شرکت آب و فاضلاب مراجعه کنید.",
    RefusalReason.NO_REASONS: "نشانی یا مدرکی که بتوان بر پایه آن رسیدگی کرد نوشته نشده است.",
    RefusalReason.REPEAT: "همین موضوع پیش‌تر رسیدگی و نتیجه آن اعلام شده است.",
    RefusalReason.PENDING_ELSEWHERE: "پرونده در کمیسیون ماده صد در دست رسیدگی است.",
}
TO_UNIT = "لطفاً سوابق این موضوع، تاریخ بازدید و علت تأخیر را با مستندات اعلام کنید."
OF_UNIT = "بازدید انجام شد و کار در نوبت اکیپ قرار گرفت؛ علت تأخیر کمبود نیرو و اعتبار بوده است."
TO_CITIZEN = "لطفاً نشانی دقیق و شماره پرونده را بنویسید و اگر عکس یا رسیدی دارید پیوست کنید."
OF_CITIZEN = "شماره پرونده روی رسید هست و عکسش را هم فرستادم. نشانی همان است که نوشته بودم."
NOTE = "با مسئول واحد تلفنی صحبت شد؛ قرار شد سوابق تا پایان هفته فرستاده شود."
OBJECTION = "در رأی به عکس‌ها و رسید من توجه نشده است. درخواست بررسی دوباره دارم."
ADVICE = "برنامه نوبت‌بندی و زمان پاسخ در سامانه واحد نمایش داده شود."
MINUTES = "شهروند حضور یافت و توضیح داد؛ تصویر مدارک پیوست شد."
WITHDRAWN = "مشکل حل شد."


@dataclass(frozen=True)
class Complaint:
    kind: Kind
    unit: str
    ground: str
    urgent: bool
    text: str


@cache
def complaints() -> tuple[Complaint, ...]:
    """The corpus: 252 texts, invented for this project, with the unit and ground a screener would set."""
    lines = (Path(__file__).parent / "complaints.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Complaint(**(fields := json.loads(line)) | {"kind": Kind(fields["kind"])}) for line in lines)


def varied(text: str, rng: Random) -> str:
    """The same matter at another address, as another citizen adds it. Holds nothing that JSON or COPY would escape."""
    variant = f"{text} نشانی: {rng.choice(STREETS)}، کوچه {rng.randint(1, 60)}، پلاک {rng.randint(1, 400)}"
    if rng.random() < 0.4:
        variant += f". شماره پرونده {rng.randint(10_000, 999_999)}"
    return variant
