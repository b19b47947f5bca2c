"""Two dozen cases from one simulated history: each with its own ids, code, number, person, text and time, and a chain of
hashes computed by the product's own function."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from backbone import sealing
from backbone.process.settings import HexKey, secret, secrets
from backbone.storage.hash_chain import FIRST_HASH
from benchmarks.city import texts
from benchmarks.city.case_histories import CaseHistory
from benchmarks.city.context import LEEWAY
from benchmarks.city.copy_format import Block, lines
from benchmarks.city.rows import TABLES, Key, Rows
from contracts import tracking_codes
from contracts.gateway import Contact, Identity
from contracts.vocabulary import Language
from gateway.submissions.receipts import content_hash
from services.intake.identities.vault import Vault
from services.intake.settings import Settings as IntakeSettings
from services.media.claims.rules import Claimant
from services.notify.notifications.rules import message_id
from services.tracking.case.timeline import link
from services.tracking.search.document import searchable

CONTACTS = 500
"""Contacts encrypted to notify, of which each case has one: encrypting a million would take minutes, and they are never
decrypted, since nothing is left to be sent."""


class Secrets(IntakeSettings):
    """The keys that a city is written with."""

    mobile_index_key: HexKey


class Keys:
    """Hashes, derives and encrypts as gateway, intake and accounts do."""

    def __init__(self, settings: Secrets, seed: str) -> None:
        self._mac, self._index = secrets(settings.code_mac_keys), secrets(settings.code_index_keys)
        self._derive, self._mobile = secret(settings.code_derive_key), secret(settings.mobile_index_key)
        self._notify = secret(settings.notify_public_key)
        self.vault = Vault({name: secret(key) for name, key in settings.identity_master_keys.items()})
        self._seed = seed
        self._contacts: list[str] = []

    def case(self, number: int) -> tuple[str, UUID, str]:
        """Code, submission id and code hash of the case of this number: always the same."""
        code, case_id = tracking_codes.derive(self._mac, self._derive, f"{self._seed} case {number}".encode())
        return code, case_id, tracking_codes.hashes(code, self._index)[0]

    def citizen(self, number: int) -> tuple[UUID, str, str]:
        """Id, mobile and its hash of the citizen of this number."""
        citizen_id = UUID(bytes=hashlib.sha256(f"{self._seed} citizen {number}".encode()).digest()[:16], version=4)
        mobile = f"+98999{number:07d}"
        return citizen_id, mobile, sealing.keyed_hash(mobile, self._mobile)

    def contact(self, rng: Random) -> str:
        """One of the encrypted contacts."""
        if not self._contacts:
            contact = Contact(mobile="+989990000000", code="0" * 16, language=Language.FA)
            self._contacts = [sealing.seal(contact, self._notify) for _ in range(CONTACTS)]
        return rng.choice(self._contacts)


@dataclass(frozen=True)
class PlannedCase:
    """One case to be written: its index, its number, and the number of the citizen who files it unless it is anonymous."""

    index: int
    number: str
    citizen: int


class CaseTemplate:
    """The rows of one history, or of two that belong together, with placeholders for what differs from case to case."""

    def __init__(self, histories: Sequence[CaseHistory], texts: Sequence[str], keys: Keys, rng: Random) -> None:
        self._keys, self._texts = keys, texts
        self._rows = [Rows(history, rng) for history in histories]
        self.size = len(histories)
        self._moments = {moment.isoformat(): moment for rows in self._rows for moment in rows.moments()}
        self._ids = [[str(own) for own in _ids(rows)] for rows in self._rows]
        self._messages = [_messages(rows) for rows in self._rows]
        places = {*self._moments, "master key"}.union(*map(_places, self._rows))
        together: dict[Key, str] = defaultdict(str)
        for rows in self._rows:
            for key, some in rows.of.items():
                together[key] += lines(TABLES[key], some)
        self._blocks = {key: Block(text, places) for key, text in together.items()}
        self._details = [
            [_details_of(entry.details, places) for entry, _, _ in rows.history.entries] for rows in self._rows
        ]
        self._filed = [_as_filed(rows.history) for rows in self._rows]

    def fill(self, cases: Sequence[PlannedCase], rng: Random) -> dict[Key, str]:
        """The lines of each table for these cases, one for each history."""
        shift = timedelta(microseconds=rng.randrange(int(LEEWAY / timedelta(microseconds=1))))
        values = {text: (moment + shift).isoformat() for text, moment in self._moments.items()}
        values["master key"] = self._keys.vault.current
        for index, case in enumerate(cases):
            self._set_person(index, case, values, rng)
        for rows, details in zip(self._rows, self._details, strict=True):
            _chain(rows, details, values, shift)
        return {key: block.fill(values) for key, block in self._blocks.items()}

    def _set_person(self, index: int, case: PlannedCase, values: dict[str, str], rng: Random) -> None:
        rows, filed = self._rows[index], self._filed[index]
        history, event = rows.history, rows.history.event
        _, case_id, code_hash = self._keys.case(case.index)
        text = texts.varied(rng.choice(self._texts), rng)
        values |= {str(event.case_id): str(case_id), event.code_hash: code_hash, history.case.number: case.number}
        values |= {event.text: text, rows.search: searchable(case.number, text) + rows.later}
        fresh = [f"{rng.getrandbits(128):032x}" for _ in history.uploads]
        values |= {upload_id: own for (upload_id, _), own in zip(history.uploads, fresh, strict=True)}
        values[event.content_hash] = content_hash({**filed, "text": text, "uploads": fresh[: len(event.uploads)]})
        if event.citizen_id is not None:
            assert event.mobile_hash is not None
            assert event.sealed_contact is not None
            citizen, mobile, mobile_hash = self._keys.citizen(case.citizen)
            sealed = self._keys.vault.seal(case_id, Identity(name="شهروند", mobile=mobile))
            values |= {str(event.citizen_id): str(citizen), event.mobile_hash: mobile_hash}
            values |= {event.sealed_contact: self._keys.contact(rng)}
            claimant = Claimant(case_id, citizen)
            values |= {
                owner: claimant.owner(values[upload_id]) or "" for upload_id, owner in rows.upload_owners.items()
            }
            for name, content in (
                (rows.wrapped, sealed.wrapped_key),
                (rows.nonce, sealed.nonce),
                (rows.ciphertext, sealed.ciphertext),
            ):
                values[name] = rf"\\x{content.hex()}"
        values |= {own: _uuid(rng) for own in self._ids[index]}
        values |= {key: f"{rng.getrandbits(128):032x}" for key in rows.command_keys}
        for own, event_id, rest, audience, channel in self._messages[index]:
            values[own] = str(message_id(values[event_id] + rest, audience, channel))
        for own in rows.at_provider:
            values[own] = str(rng.randrange(10**9, 10**12))


def _details_of(details: Any, places: Container[str]) -> Block | None:
    """Details of a timeline entry as JSON with placeholders; None when they are the same for every case."""
    block = Block(json.dumps(details, ensure_ascii=False), places)
    return block if block.keys else None


def _messages(rows: Rows) -> list[tuple[str, str, str, str, str]]:
    """The id of each message, and what it is computed from: event, rest of the key, audience, channel."""
    messages = []
    for sent in rows.sent:
        key, draft = sent.draft.key, sent.draft
        messages.append((str(sent.row["id"]), key[:36], key[36:], draft.audience, draft.channel.value))
    return messages


def _chain(rows: Rows, details: Sequence[Block | None], values: dict[str, str], shift: timedelta) -> None:
    """Computes the hashes of a timeline with these values."""
    case_id, head = UUID(values[str(rows.history.case.case_id)]), FIRST_HASH
    for (entry, _, own), block in zip(rows.history.entries, details, strict=True):
        by = values.get(entry.actor_id, entry.actor_id) if entry.actor_id is not None else None
        filled = entry.details if block is None else json.loads(block.fill(values))
        head = link(head, replace(entry, case_id=case_id, actor_id=by, at=entry.at + shift, details=filled))
        values[own] = head


def _ids(rows: Rows) -> list[UUID]:
    history = rows.history
    ids = [history.event.id, *(event.id for event in history.events), *history.questions, *history.recommended]
    ids += [sent.end_event for sent in rows.sent if sent.end_event is not None]
    if history.visit is not None:
        ids.append(history.visit.visit_id)
    return ids


def _places(rows: Rows) -> list[str]:
    history, event = rows.history, rows.history.event
    places = [str(event.case_id), event.code_hash, history.case.number, event.text, rows.search, event.content_hash]
    places += [upload_id for upload_id, _ in history.uploads]
    if event.citizen_id is not None:
        assert event.mobile_hash is not None
        assert event.sealed_contact is not None
        places += [str(event.citizen_id), event.mobile_hash, event.sealed_contact]
        places += [rows.wrapped, rows.nonce, rows.ciphertext, *rows.upload_owners.values()]
    places += [str(own) for own in _ids(rows)] + rows.command_keys
    places += [own for _, _, own in history.entries]
    places += [str(sent.row["id"]) for sent in rows.sent] + rows.at_provider
    return places


def _as_filed(history: CaseHistory) -> dict[str, Any]:
    """What the receipt's hash is over (gateway/api/submissions/bodies.py, filed), without text and uploads."""
    command = history.command
    names = ("kind", "unit", "ground", "answers", "happened_on", "place", "reference", "people", "visit_wanted")
    return command.model_dump(mode="json", include=set(names))


def _uuid(rng: Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
