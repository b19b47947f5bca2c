"""Stamps: two dozen cases after one life, each with its own ids, code, number, person, text and minute, its chain of hashes
made anew by the product's own function."""

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
from benchmarks.city import words
from benchmarks.city.copying import Block, lines
from benchmarks.city.lives import LEEWAY, Life
from benchmarks.city.rows import TABLES, Key, Rows
from contracts import tracking_codes
from contracts.gateway import Contact, Identity
from contracts.vocabulary import Language
from gateway.submissions.receipts import content_hash
from services.intake.identities.vault import Vault
from services.intake.settings import Settings as IntakeSettings
from services.notify.notifications.rules import message_id
from services.tracking.case.timeline import FIRST, link
from services.tracking.search.queries import searchable

CONTACTS = 500
"""Boxes sealed to notify of which each case has one: to seal a million would take minutes, and nobody opens them, since
nothing is left to be sent."""


class Secrets(IntakeSettings):
    """The keys under which a city is written."""

    mobile_index_key: HexKey


class Keys:
    """What is hashed, derived and sealed with, as gateway, intake and accounts do it."""

    def __init__(self, given: Secrets, seed: str) -> None:
        self._mac, self._index = secrets(given.code_mac_keys), secrets(given.code_index_keys)
        self._derive, self._mobile = secret(given.code_derive_key), secret(given.mobile_index_key)
        self._notify = secret(given.notify_public_key)
        self.vault = Vault({name: secret(key) for name, key in given.identity_master_keys.items()})
        self._seed = seed
        self._contacts: list[str] = []

    def case(self, number: int) -> tuple[str, UUID, str]:
        """Code, submission id and code hash of the so-manieth case: always the same."""
        code, case_id = tracking_codes.derive(self._mac, self._derive, f"{self._seed} case {number}".encode())
        return code, case_id, tracking_codes.hashes(code, self._index)[0]

    def citizen(self, number: int) -> tuple[UUID, str, str]:
        """Id, mobile and its hash of the so-manieth citizen."""
        own = UUID(bytes=hashlib.sha256(f"{self._seed} citizen {number}".encode()).digest()[:16], version=4)
        mobile = f"+98999{number:07d}"
        return own, mobile, sealing.keyed_hash(mobile, self._mobile)

    def contact(self, rng: Random) -> str:
        """One of the boxes."""
        if not self._contacts:
            told = Contact(mobile="+989990000000", code="0" * 16, language=Language.FA)
            self._contacts = [sealing.seal(told, self._notify) for _ in range(CONTACTS)]
        return rng.choice(self._contacts)


@dataclass(frozen=True)
class Filed:
    """One case to be stamped: the how-manieth it is, its number, and the how-manieth citizen files it if anybody is known."""

    index: int
    number: str
    citizen: int


class Mould:
    """What is stamped: the rows of one life, or of two that belong together, with their places found."""

    def __init__(self, lives: Sequence[Life], texts: Sequence[str], keys: Keys, rng: Random) -> None:
        self._keys, self._texts = keys, texts
        self._rows = [Rows(life, rng) for life in lives]
        self.size = len(lives)
        self._moments = {moment.isoformat(): moment for rows in self._rows for moment in rows.moments()}
        self._ids = [[str(own) for own in _ids(rows)] for rows in self._rows]
        self._told = [_told(rows) for rows in self._rows]
        places = {*self._moments, "master key"}.union(*map(_places, self._rows))
        together: dict[Key, str] = defaultdict(str)
        for rows in self._rows:
            for key, some in rows.of.items():
                together[key] += lines(TABLES[key], some)
        self._blocks = {key: Block(text, places) for key, text in together.items()}
        self._details = [
            [_details_of(entry.details, places) for entry, _, _ in rows.life.entries] for rows in self._rows
        ]
        self._filed = [_as_filed(rows.life) for rows in self._rows]

    def stamp(self, filed: Sequence[Filed], rng: Random) -> dict[Key, str]:
        """The lines of each table for these cases, as many as there are lives."""
        shift = timedelta(microseconds=rng.randrange(int(LEEWAY / timedelta(microseconds=1))))
        values = {text: (moment + shift).isoformat() for text, moment in self._moments.items()}
        values["master key"] = self._keys.vault.current
        for place, one in enumerate(filed):
            self._who(place, one, values, rng)
        for rows, details in zip(self._rows, self._details, strict=True):
            _chain(rows, details, values, shift)
        return {key: block.fill(values) for key, block in self._blocks.items()}

    def _who(self, place: int, one: Filed, values: dict[str, str], rng: Random) -> None:
        rows, told = self._rows[place], self._filed[place]
        life, event = rows.life, rows.life.event
        _, case_id, code_hash = self._keys.case(one.index)
        text = words.varied(rng.choice(self._texts), rng)
        values |= {str(event.case_id): str(case_id), event.code_hash: code_hash, life.case.number: one.number}
        values |= {event.text: text, rows.search: searchable(one.number, text)}
        fresh = [f"{rng.getrandbits(128):032x}" for _ in life.uploads]
        values |= {upload_id: own for (upload_id, _), own in zip(life.uploads, fresh, strict=True)}
        values[event.content_hash] = content_hash({**told, "text": text, "uploads": fresh[: len(event.uploads)]})
        if event.citizen_id is not None:
            assert event.mobile_hash is not None
            assert event.sealed_contact is not None
            citizen, mobile, mobile_hash = self._keys.citizen(one.citizen)
            sealed = self._keys.vault.seal(case_id, Identity(name="شهروند", mobile=mobile))
            values |= {str(event.citizen_id): str(citizen), event.mobile_hash: mobile_hash}
            values |= {event.sealed_contact: self._keys.contact(rng)}
            for name, content in (
                (rows.wrapped, sealed.wrapped_key),
                (rows.nonce, sealed.nonce),
                (rows.ciphertext, sealed.ciphertext),
            ):
                values[name] = rf"\\x{content.hex()}"
        values |= {own: _uuid(rng) for own in self._ids[place]}
        values |= {key: f"{rng.getrandbits(128):032x}" for key in rows.command_keys}
        for own, event_id, rest, audience, channel in self._told[place]:
            values[own] = str(message_id(values[event_id] + rest, audience, channel))
        for own in rows.at_provider:
            values[own] = str(rng.randrange(10**9, 10**12))


def _details_of(details: Any, places: Container[str]) -> Block | None:
    """What a line says, as JSON with places; None when every stamp says the same."""
    block = Block(json.dumps(details, ensure_ascii=False), places)
    return block if block.keys else None


def _told(rows: Rows) -> list[tuple[str, str, str, str, str]]:
    """Of each message its id, and what it is made of: the event, what follows its id in the key, audience, channel."""
    found = []
    for sent in rows.sent:
        key = sent.draft.key
        found.append((str(sent.row["id"]), key[:36], key[36:], sent.draft.audience, sent.draft.channel.value))
    return found


def _chain(rows: Rows, details: Sequence[Block | None], values: dict[str, str], shift: timedelta) -> None:
    """The hashes of a life's timeline as they are for these values."""
    case_id, head = UUID(values[str(rows.life.case.case_id)]), FIRST
    for (entry, _, own), block in zip(rows.life.entries, details, strict=True):
        by = values.get(entry.actor_id, entry.actor_id) if entry.actor_id is not None else None
        told = entry.details if block is None else json.loads(block.fill(values))
        head = link(head, replace(entry, case_id=case_id, actor_id=by, at=entry.at + shift, details=told))
        values[own] = head


def _ids(rows: Rows) -> list[UUID]:
    life = rows.life
    found = [life.event.id, *(event.id for event in life.events), *life.questions, *life.recommended]
    found += [sent.told for sent in rows.sent if sent.told is not None]
    if life.visit is not None:
        found.append(life.visit.visit_id)
    return found


def _places(rows: Rows) -> list[str]:
    life, event = rows.life, rows.life.event
    found = [str(event.case_id), event.code_hash, life.case.number, event.text, rows.search, event.content_hash]
    found += [upload_id for upload_id, _ in life.uploads]
    if event.citizen_id is not None:
        assert event.mobile_hash is not None
        assert event.sealed_contact is not None
        found += [str(event.citizen_id), event.mobile_hash, event.sealed_contact]
        found += [rows.wrapped, rows.nonce, rows.ciphertext]
    found += [str(own) for own in _ids(rows)] + rows.command_keys
    found += [own for _, _, own in life.entries]
    found += [str(sent.row["id"]) for sent in rows.sent] + rows.at_provider
    return found


def _as_filed(life: Life) -> dict[str, Any]:
    """What the receipt's hash is over (gateway/api/submissions/bodies.py, filed), without text and uploads."""
    command = life.command
    names = ("kind", "unit", "ground", "answers", "happened_on", "place", "reference", "people", "visit_wanted")
    return command.model_dump(mode="json", include=set(names))


def _uuid(rng: Random) -> str:
    told = f"{rng.getrandbits(128):032x}"
    return f"{told[:8]}-{told[8:12]}-4{told[13:16]}-a{told[17:20]}-{told[20:]}"
