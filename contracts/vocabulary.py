"""The words of the domain (DOMAIN: What is filed, The life of a case, The people)."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    COMPLAINT = "complaint"
    CRITICISM = "criticism"
    INFORMATION = "information"


class Stage(StrEnum):
    REGISTERED = "registered"
    SCREENING = "screening"
    INVESTIGATING = "investigating"
    AWAITING_CITIZEN = "awaiting_citizen"
    AWAITING_UNIT = "awaiting_unit"
    DECIDED = "decided"
    REVIEW = "review"  # an objection is being heard by another inspector
    REFUSED = "refused"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


OPEN_STAGES = frozenset(
    {
        Stage.REGISTERED,
        Stage.SCREENING,
        Stage.INVESTIGATING,
        Stage.AWAITING_CITIZEN,
        Stage.AWAITING_UNIT,
        Stage.REVIEW,
    }
)


class Outcome(StrEnum):
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    NOT_UPHELD = "not_upheld"
    SETTLED = "settled"
    REFERRED = "referred"


class RootCause(StrEnum):
    """Those that Peygir brings; the administrator adds others."""

    PEOPLE = "people"
    PROCESS = "process"
    REGULATION = "regulation"
    RESOURCES = "resources"
    INFORMATION = "information"
    OUTSIDE = "outside"


class RefusalReason(StrEnum):
    """Those that Peygir brings; the administrator adds others."""

    OUTSIDE_REMIT = "outside_remit"
    IDENTITY_INCOMPLETE = "identity_incomplete"
    REPEAT = "repeat"
    NO_REASONS = "no_reasons"
    GROUP_WITHOUT_REPRESENTATIVE = "group_without_representative"
    PENDING_ELSEWHERE = "pending_elsewhere"
    RESUBMITTED = "resubmitted"


class KeptPart(StrEnum):
    """What is kept of an ended case for a time of its own."""

    IDENTITY = "identity"  # who filed it, and how they are reached
    EVIDENCE = "evidence"  # the bytes of its attachments
    TEXTS = "texts"  # what was written by anybody


class Channel(StrEnum):
    WEB = "web"
    APP = "app"
    PAGES = "pages"  # the plain pages without script
    PHONE = "phone"
    COUNTER = "counter"
    SMS = "sms"


class ConsentForm(StrEnum):
    """How a citizen agreed that an operator files for them."""

    SPOKEN = "spoken"
    SIGNED = "signed"
    RECORDED_CALL = "recorded_call"


class ConsentTo(StrEnum):
    """What they agreed to: that it is filed in their name, that they are reached by SMS."""

    FILING = "filing"
    SMS = "sms"


class Language(StrEnum):
    FA = "fa"
    EN = "en"


class Role(StrEnum):
    OPERATOR = "operator"
    SCREENER = "screener"
    INSPECTOR = "inspector"
    HEAD = "head"
    LIAISON = "liaison"
    CUSTODIAN = "custodian"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


ROLE_NAMES: dict[Role, dict[Language, str]] = {
    Role.OPERATOR: {Language.FA: "کاربر پیشخوان", Language.EN: "operator"},
    Role.SCREENER: {Language.FA: "کارشناس غربالگری", Language.EN: "screener"},
    Role.INSPECTOR: {Language.FA: "بازرس", Language.EN: "inspector"},
    Role.HEAD: {Language.FA: "مدیر بازرسی", Language.EN: "head of inspection"},
    Role.LIAISON: {Language.FA: "رابط واحد", Language.EN: "unit liaison"},
    Role.CUSTODIAN: {Language.FA: "امین هویت", Language.EN: "custodian of identities"},
    Role.ANALYST: {Language.FA: "تحلیلگر", Language.EN: "analyst"},
    Role.ADMINISTRATOR: {Language.FA: "راهبر سامانه", Language.EN: "administrator"},
}

TWO_ADMINISTRATOR_ROLES = frozenset({Role.HEAD, Role.CUSTODIAN, Role.ADMINISTRATOR})
"""Roles that open identities, or that grant them: two administrators are needed for each (DOMAIN.md, The people)."""


class ActorKind(StrEnum):
    CITIZEN = "citizen"  # signed in with a mobile
    BEARER = "bearer"  # holds the tracking code, nothing more
    STAFF = "staff"
    SYSTEM = "system"


STAGE_NAMES: dict[Stage, dict[Language, str]] = {
    Stage.REGISTERED: {Language.FA: "ثبت شد", Language.EN: "Registered"},
    Stage.SCREENING: {Language.FA: "در حال بررسی اولیه", Language.EN: "First reading"},
    Stage.INVESTIGATING: {Language.FA: "در دست بازرس", Language.EN: "Being investigated"},
    Stage.AWAITING_CITIZEN: {Language.FA: "در انتظار پاسخ شما", Language.EN: "Waiting for your answer"},
    Stage.AWAITING_UNIT: {Language.FA: "در انتظار پاسخ واحد", Language.EN: "Waiting for the unit's answer"},
    Stage.DECIDED: {Language.FA: "نتیجه اعلام شد", Language.EN: "Decided"},
    Stage.REVIEW: {Language.FA: "در حال بازنگری اعتراض", Language.EN: "Objection being reviewed"},
    Stage.REFUSED: {Language.FA: "قابل رسیدگی نیست", Language.EN: "Not accepted"},
    Stage.MERGED: {Language.FA: "به پرونده مشابه پیوست", Language.EN: "Merged with a similar case"},
    Stage.WITHDRAWN: {Language.FA: "پس گرفته شد", Language.EN: "Withdrawn"},
    Stage.CLOSED: {Language.FA: "بسته شد", Language.EN: "Closed"},
}

OUTCOME_NAMES: dict[Outcome, dict[Language, str]] = {
    Outcome.UPHELD: {Language.FA: "وارد", Language.EN: "Upheld"},
    Outcome.PARTLY_UPHELD: {Language.FA: "وارد جزئی", Language.EN: "Partly upheld"},
    Outcome.NOT_UPHELD: {Language.FA: "غیروارد", Language.EN: "Not upheld"},
    Outcome.SETTLED: {Language.FA: "سازش", Language.EN: "Settled"},
    Outcome.REFERRED: {Language.FA: "ارجاع به مرجع صالح", Language.EN: "Referred to the competent body"},
}

KIND_NAMES: dict[Kind, dict[Language, str]] = {
    Kind.COMPLAINT: {Language.FA: "شکایت", Language.EN: "Complaint"},
    Kind.CRITICISM: {Language.FA: "انتقاد", Language.EN: "Criticism"},
    Kind.INFORMATION: {Language.FA: "گزارش تخلف", Language.EN: "Report of wrongdoing"},
}

REFUSAL_NAMES: dict[RefusalReason, dict[Language, str]] = {
    RefusalReason.OUTSIDE_REMIT: {
        Language.FA: "موضوع در صلاحیت شهرداری نیست",
        Language.EN: "It is outside the municipality's remit",
    },
    RefusalReason.IDENTITY_INCOMPLETE: {
        Language.FA: "مشخصات شاکی ناقص یا نادرست است",
        Language.EN: "The complainant's identity is incomplete or false",
    },
    RefusalReason.REPEAT: {
        Language.FA: "پیش‌تر ثبت یا پاسخ داده شده است",
        Language.EN: "It repeats one that was filed or answered",
    },
    RefusalReason.NO_REASONS: {
        Language.FA: "دلیل یا مدرکی همراه ندارد",
        Language.EN: "It gives no reasons or documents",
    },
    RefusalReason.GROUP_WITHOUT_REPRESENTATIVE: {
        Language.FA: "شکایت گروهی بدون نماینده است",
        Language.EN: "A group complaint without one representative",
    },
    RefusalReason.PENDING_ELSEWHERE: {
        Language.FA: "در مرجع دیگری در دست رسیدگی است",
        Language.EN: "It is pending before another authority",
    },
    RefusalReason.RESUBMITTED: {
        Language.FA: "همین موضوع اکنون در دست رسیدگی است",
        Language.EN: "The same matter is already being handled",
    },
}

ROOT_CAUSE_NAMES: dict[RootCause, dict[Language, str]] = {
    RootCause.PEOPLE: {Language.FA: "نیروی انسانی", Language.EN: "People"},
    RootCause.PROCESS: {Language.FA: "فرایند", Language.EN: "Process"},
    RootCause.REGULATION: {Language.FA: "قوانین و مقررات", Language.EN: "Regulation"},
    RootCause.RESOURCES: {Language.FA: "منابع و امکانات", Language.EN: "Resources"},
    RootCause.INFORMATION: {Language.FA: "اطلاع‌رسانی", Language.EN: "Information"},
    RootCause.OUTSIDE: {Language.FA: "عامل بیرونی", Language.EN: "Outside the municipality"},
}
