"""Which cases may refer to an upload.

Several may: one person who files twice sends a photo once. Whoever knows a young upload's id counts as its sender: that is how
a submission, which may be anonymous, refers to its evidence. Later those who handle the case have read the id too, so only the
same citizen may name the upload again. Its file name is shown to the case it was first sent for, and to others of the same
citizen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Refusal(StrEnum):
    """Why a case cannot have an upload: the reason in `ClaimRefused` and `MediaRejected`."""

    UNKNOWN = "unknown"  # no case can have it
    EXPIRED = "expired"
    ALREADY_USED = "already_used"


@dataclass(frozen=True)
class Claimant:
    """Who names an upload in a case. `citizen_id`: of a citizen who is signed in; `from_office`: named by staff or a unit."""

    case_id: UUID
    citizen_id: UUID | None = None
    from_office: bool = False

    def owner(self, upload_id: str) -> str | None:
        """A hash by which two cases that name this upload are known as one citizen's; None without a citizen."""
        if self.citizen_id is None or self.from_office:
            return None
        return hashlib.sha256(f"{upload_id}\0{self.citizen_id}".encode()).hexdigest()


@dataclass(frozen=True)
class Claim:
    """That a case refers to an upload. `named`: this case sees its file name."""

    case_id: UUID
    from_office: bool
    owner: str | None
    named: bool


@dataclass
class Outcome:
    """Upload ids. `rejected` can be no case's evidence; `refused` only not this case's."""

    claimed: list[str] = field(default_factory=list)
    rejected: dict[str, Refusal] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)


def may_share(claimant: Claimant, upload_id: str, is_young: bool, claims: Iterable[Claim]) -> bool:
    """Whether the sender of an upload names it again, which another case has already. `is_young`: it has not expired."""
    claims = list(claims)
    if claimant.from_office or any(claim.from_office for claim in claims):
        return False
    return is_young or is_same_citizen(claimant, upload_id, claims)


def is_same_citizen(claimant: Claimant, upload_id: str, claims: Iterable[Claim]) -> bool:
    """Whether one of these claims was made by the claimant, signed in."""
    owner = claimant.owner(upload_id)
    return owner is not None and any(claim.owner == owner for claim in claims)
