"""Seals: what a paper vouches for, in one line that a QR code carries, signed with the receipts' key (Ed25519).

    L1~number~case number~day~outcome~hash~signature      a letter
    R1~submission~moment~kind~hash~signature              a receipt

Fields are ASCII and hold no `~`; hash and submission (16 octets) are base64url without padding, as is the signature of 64
octets. A letter's signature is over the UTF-8 bytes before its last `~`; a receipt's is the receipt's own, over its JSON
payload, which the fields give back octet for octet. So either is checked without us, with the key of /v1/receipts/key.

A seal is a segment of a path, /verify/SEAL: a fragment never reaches a page that works without script, and a query is
lost where a page changes its language. It holds no secret: number, day and outcome, and hashes.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ValidationError

from contracts.vocabulary import Kind, Outcome
from gateway.submissions.receipts import Receipt, Signer, payload_of

REFUSED = "refused"
LONGEST = 400
NOT_OURS = "R1~"
"""What stands for a receipt that we did not sign: no line of ours."""
_NUMBER = re.compile(r"[0-9]{4}-[0-9]{1,12}")
_LETTER_NUMBER = re.compile(r"[0-9]{4}-[0-9]{1,12}-[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class LetterSeal:
    """`outcome`: of the decision, or "refused". `content_hash`: SHA-256 in hex of what is printed."""

    number: str
    case_number: str
    issued_on: date
    outcome: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class ReceiptSeal:
    """What the receipt's payload says."""

    submission_id: UUID
    filed_at: datetime
    kind: Kind
    content_hash: str


Seal = LetterSeal | ReceiptSeal


class Seals:
    """Signs with the office's key, and checks what came back."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def of_letter(self, told: LetterSeal) -> str:
        """The line that vouches for a letter."""
        fields = (
            "L1",
            told.number,
            told.case_number,
            told.issued_on.isoformat(),
            told.outcome,
            _short(told.content_hash),
        )
        line = "~".join(fields)
        return f"{line}~{_packed(self._signer.signature(line.encode()))}"

    def of_receipt(self, receipt: Receipt) -> str | None:
        """The line that vouches for a receipt of ours, with the receipt's own signature; None for any other."""
        told = _receipt(receipt.payload)
        if told is None or receipt.key not in self._signer.key_ids:
            return None
        try:
            signature = base64.b64decode(receipt.signature, validate=True)
        except (binascii.Error, ValueError):
            return None
        if not self._signer.signed(receipt.payload.encode(), signature):
            return None
        packed = _packed(told.submission_id.bytes)
        fields = ("R1", packed, _moment(told.filed_at), told.kind, _short(told.content_hash), _packed(signature))
        return "~".join(fields)

    def check(self, line: str) -> Seal | None:
        """What a genuine line vouches for; None for any other, be it changed in a single character."""
        if len(line) > LONGEST or not line.isascii():
            return None
        fields = line.split("~")
        try:
            match fields:
                case ["L1", *_]:
                    return self._letter(line, fields)
                case ["R1", *_]:
                    return self._receipt(fields)
        except (ValueError, binascii.Error):
            pass
        return None

    def _letter(self, line: str, fields: list[str]) -> LetterSeal | None:
        _, number, case_number, day, outcome, hashed, signature = fields
        if not self._signer.signed(line.rpartition("~")[0].encode(), _unpacked(signature, 64)):
            return None
        if not (_LETTER_NUMBER.fullmatch(number) and _NUMBER.fullmatch(case_number)):
            return None
        if outcome != REFUSED:
            Outcome(outcome)
        return LetterSeal(number, case_number, date.fromisoformat(day), outcome, _unpacked(hashed, 32).hex())

    def _receipt(self, fields: list[str]) -> ReceiptSeal | None:
        _, submission, moment, kind, hashed, signature = fields
        told = ReceiptSeal(
            UUID(bytes=_unpacked(submission, 16)),
            datetime.fromisoformat(moment),
            Kind(kind),
            _unpacked(hashed, 32).hex(),
        )
        if _moment(told.filed_at) != moment:
            return None  # one moment has many spellings, of which one was signed
        payload = payload_of(told.submission_id, told.filed_at, told.kind, told.content_hash)
        return told if self._signer.signed(payload.encode(), _unpacked(signature, 64)) else None


def line_in(typed: str) -> str:
    """The line in what somebody typed or pasted: the address of a QR code, or the line itself."""
    return "".join(typed.split()).rsplit("/", 1)[-1].partition("?")[0]


def receipt_in(typed: str) -> Receipt | None:
    """The receipt in what somebody pasted: its JSON, or the answer that it came in."""
    try:
        return _Pasted.model_validate_json(typed).receipt
    except ValidationError:
        pass
    try:
        return Receipt.model_validate_json(typed)
    except ValidationError:
        return None


class _Pasted(BaseModel):
    receipt: Receipt


def _receipt(payload: str) -> ReceiptSeal | None:
    """What a payload says, if it is written as ours are."""
    import json

    try:
        told = json.loads(payload)
        seal = ReceiptSeal(
            UUID(told["submission_id"]),
            datetime.fromisoformat(told["filed_at"]),
            Kind(told["kind"]),
            bytes.fromhex(told["content_hash"]).hex(),
        )
        again = payload_of(seal.submission_id, seal.filed_at, seal.kind, seal.content_hash)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return seal if again == payload else None


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _short(content_hash: str) -> str:
    return _packed(bytes.fromhex(content_hash))


def _packed(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _unpacked(text: str, length: int) -> bytes:
    """ValueError unless this is the one spelling of that many octets: the last letter of base64 has bits that mean nothing."""
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(octets) != length or _packed(octets) != text:
        raise ValueError
    return octets
