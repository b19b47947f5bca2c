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


OUTCOMES_WITH_CAUSE = frozenset({Outcome.UPHELD, Outcome.PARTLY_UPHELD})
"""Outcomes that name a root cause."""


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
    AUDITOR = "auditor"
    SUBSTITUTE = "substitute"  # screener, inspector and head of cases about the inspection office and those above it


IDENTITY_ROLES = frozenset({Role.HEAD, Role.CUSTODIAN, Role.SUBSTITUTE})
"""Those that open an identity with a custodian's consent: a substitute, of cases about the inspection itself alone."""
TWO_ADMINISTRATOR_ROLES = frozenset({Role.HEAD, Role.CUSTODIAN, Role.ADMINISTRATOR, Role.SUBSTITUTE})
"""Roles that open identities, or that grant them: two administrators are needed for each (DOMAIN.md, The people)."""


class ActorKind(StrEnum):
    CITIZEN = "citizen"  # signed in with a mobile
    BEARER = "bearer"  # holds the tracking code, nothing more
    STAFF = "staff"
    SYSTEM = "system"
