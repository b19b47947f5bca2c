"""The signature line of a paper: what it certifies, in one line that fits a QR code, signed with the receipts' key (Ed25519).

    L1~number~case number~day~outcome~hash~signature      a letter
    R1~submission~moment~kind~hash~signature              a receipt

Fields are ASCII and hold no `~`; hash and submission (16 octets) are base64url without padding, as is the signature of 64
octets. A letter's signature is over the UTF-8 bytes before its last `~`; a receipt's is the receipt's own, over its JSON
payload, which the fields reproduce octet for octet. So either can be verified by anyone with the key of /v1/receipts/key.

A line is a segment of a path, /verify/LINE: a fragment never reaches a page that works without script, and a query is lost
where a page changes its language. It contains no secret: number, day and outcome, and hashes.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ValidationError

from contracts.vocabulary import Kind, Outcome
from gateway.submissions.receipts import Receipt, Signer, payload_of

REFUSED = "refused"
MAX_LENGTH = 400
INVALID_RECEIPT = "R1~"
"""Stands for a receipt that this office did not sign: it is no valid line."""
_NUMBER = re.compile(r"[0-9]{4}-[0-9]{1,12}")
_LETTER_NUMBER = re.compile(r"[0-9]{4}-[0-9]{1,12}-[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class SignedLetter:
    """`outcome`: of the decision, or "refused". `content_hash`: SHA-256 in hex of what is printed."""

    number: str
    case_number: str
    issued_on: date
    outcome: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """What the receipt's payload says."""

    submission_id: UUID
    filed_at: datetime
    kind: Kind
    content_hash: str


SignedPaper = SignedLetter | SignedReceipt


class PaperSigner:
    """Makes signature lines with the office's key, and verifies them."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sign_letter(self, letter: SignedLetter) -> str:
        """The signature line of a letter."""
        fields = (
            "L1",
            letter.number,
            letter.case_number,
            letter.issued_on.isoformat(),
            letter.outcome,
            _encode_hash(letter.content_hash),
        )
        line = "~".join(fields)
        return f"{line}~{_encode(self._signer.signature(line.encode()))}"

    def sign_receipt(self, receipt: Receipt) -> str | None:
        """The signature line of a receipt of this office, with the receipt's own signature; None for any other."""
        signed = _parse_payload(receipt.payload)
        if signed is None or receipt.key not in self._signer.key_ids:
            return None
        try:
            signature = base64.b64decode(receipt.signature, validate=True)
        except (binascii.Error, ValueError):
            return None
        if not self._signer.verify(receipt.payload.encode(), signature):
            return None
        fields = (
            "R1",
            _encode(signed.submission_id.bytes),
            _format_moment(signed.filed_at),
            signed.kind,
            _encode_hash(signed.content_hash),
            _encode(signature),
        )
        return "~".join(fields)

    def verify(self, line: str) -> SignedPaper | None:
        """What a genuine line certifies; None for any other, even if a single character was changed."""
        if len(line) > MAX_LENGTH or not line.isascii():
            return None
        fields = line.split("~")
        try:
            match fields:
                case ["L1", *_]:
                    return self._verify_letter(line, fields)
                case ["R1", *_]:
                    return self._verify_receipt(fields)
        except (ValueError, binascii.Error):
            pass
        return None

    def _verify_letter(self, line: str, fields: list[str]) -> SignedLetter | None:
        _, number, case_number, day, outcome, content_hash, signature = fields
        if not self._signer.verify(line.rpartition("~")[0].encode(), _decode(signature, 64)):
            return None
        if not (_LETTER_NUMBER.fullmatch(number) and _NUMBER.fullmatch(case_number)):
            return None
        if outcome != REFUSED:
            Outcome(outcome)
        return SignedLetter(number, case_number, date.fromisoformat(day), outcome, _decode(content_hash, 32).hex())

    def _verify_receipt(self, fields: list[str]) -> SignedReceipt | None:
        _, submission, moment, kind, content_hash, signature = fields
        receipt = SignedReceipt(
            UUID(bytes=_decode(submission, 16)),
            datetime.fromisoformat(moment),
            Kind(kind),
            _decode(content_hash, 32).hex(),
        )
        if _format_moment(receipt.filed_at) != moment:
            return None  # one moment can be written in many ways, of which one was signed
        payload = payload_of(receipt.submission_id, receipt.filed_at, receipt.kind, receipt.content_hash)
        return receipt if self._signer.verify(payload.encode(), _decode(signature, 64)) else None


def signature_line_in(typed: str) -> str:
    """The signature line in what somebody typed or pasted: the address of a QR code, or the line itself."""
    return "".join(typed.split()).rsplit("/", 1)[-1].partition("?")[0]


def parse_receipt(typed: str) -> Receipt | None:
    """The receipt in what somebody pasted: its JSON, or the answer that contained it; None for anything else."""
    try:
        return _ReceiptAnswer.model_validate_json(typed).receipt
    except ValidationError:
        pass
    try:
        return Receipt.model_validate_json(typed)
    except ValidationError:
        return None


class _ReceiptAnswer(BaseModel):
    receipt: Receipt


def _parse_payload(payload: str) -> SignedReceipt | None:
    """What a payload says; None unless it is written exactly as this office writes it."""
    try:
        fields = json.loads(payload)
        receipt = SignedReceipt(
            UUID(fields["submission_id"]),
            datetime.fromisoformat(fields["filed_at"]),
            Kind(fields["kind"]),
            bytes.fromhex(fields["content_hash"]).hex(),
        )
        expected = payload_of(receipt.submission_id, receipt.filed_at, receipt.kind, receipt.content_hash)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return receipt if expected == payload else None


def _format_moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _encode_hash(content_hash: str) -> str:
    return _encode(bytes.fromhex(content_hash))


def _encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decode(text: str, length: int) -> bytes:
    """ValueError unless this is the canonical form of that many octets: the last letter of base64 has bits without meaning."""
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(octets) != length or _encode(octets) != text:
        raise ValueError
    return octets
