"""After all others: nothing that this town has written tells who complained, nor a code that opens a case; but the sealed store,
to who has its master key.

What a citizen writes is kept as written, be it in the text or as the name of a file: that is what was filed, and not looked for.
Looked through are all databases as rows and as files (with their logs of what was written), RabbitMQ's files with every message
that ever waited, the object store, logs, metrics, and whatever else lies in the town's folder. Not looked through: memory and
swap of the machine (docs/runbook.md), and the SMS provider, who is told both.
"""

from __future__ import annotations

import base64
import io
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from PIL import Image

from backbone.persian import normalisation
from deploy.demo.phones import Phone
from deploy.local.environment import SERVICES
from services.intake.identities.vault import Damaged, SealedIdentity, Vault
from tests.e2e.hostile_parts import reader
from tests.e2e.people import UNIT, Caller, Case, Town, good
from tests.e2e.test_office import DECISION
from tests.resilience.final_checks import check_nothing_waits
from tests.support.papers import read
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(600)

NAME = "قناری زردپر"
NATIONAL_ID = "0499370899"
REASON = "برای دعوت به جلسه"
PROVIDER = ("simulator.sqlite", "simulator.log")
_MOBILE = re.compile(rb"935\d{7}")
_CODE = re.compile(rb"(?<!\d)\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?!\d)")
_ARTIST = 0x013B
_CHUNK = 8 * 2**20
_OVERLAP = 256


def spellings(value: str) -> Iterator[bytes]:
    """How a value may stand in a file: in three scripts' digits, escaped, in UTF-16, in hexadecimal, in base64."""
    for digits in (value, normalisation.persian_digits(value), value.translate(_ARABIC)):
        octets = digits.encode()
        yield octets
        yield digits.encode("utf-16-le")
        yield octets.hex().encode()
        if not digits.isascii():
            escaped = digits.encode("ascii", "backslashreplace")
            yield escaped
            yield escaped.upper().replace(rb"\U", rb"\u")
            yield "".join(f"%{octet:02X}" for octet in octets).encode()
        for before in range(3):
            # Of what stands around it only whole groups of base64 are the same.
            whole = base64.b64encode(bytes(before) + octets)
            yield whole[4 if before else 0 : len(whole) // 4 * 4 - 4]


_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@dataclass(frozen=True)
class Secrets:
    """`mine`: this test's own, looked for in every spelling; `mobiles` (ten digits) and `codes` (sixteen): all of the town's."""

    mine: frozenset[bytes]
    mobiles: frozenset[bytes]
    codes: frozenset[bytes]

    def find(self, content: bytes) -> set[str]:
        secrets_found = {spelt.decode("latin-1") for spelt in self.mine if spelt in content}
        secrets_found |= {match.decode() for match in _MOBILE.findall(content) if match in self.mobiles}
        for match in _CODE.finditer(content):
            digits = re.sub(rb"[ -]", b"", match[0])
            if digits in self.codes:
                secrets_found.add(digits.decode())
        return secrets_found


def chunks(path: Path) -> Iterator[bytes]:
    """A file in pieces that overlap."""
    with path.open("rb") as file:
        before = b""
        while chunk := file.read(_CHUNK):
            yield before + chunk
            before = chunk[-_OVERLAP:]


def files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name not in PROVIDER:
            yield path


def rows(town: Town, service: str) -> Iterator[tuple[str, bytes]]:
    """Every row as text: what is compressed in the files stands here in the clear."""
    connection = reader(town, service)
    for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
        for (row,) in connection.execute(f'SELECT t::text FROM "{table}" t').fetchall():
            yield f"{service}.{table}", row.encode()


def unpacked(content: bytes) -> Iterator[bytes]:
    """An XLSX and what is in it."""
    yield content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield archive.read(name)


def metrics(town: Town) -> Iterator[tuple[str, bytes]]:
    for process in town.system.processes():
        if process.name != "simulator":
            yield f"metrics of {process.name}", httpx.get(f"{process.health_url}/metrics", trust_env=False).content


def photo_of(owner: str) -> bytes:
    """Whose camera it was stands in it."""
    image, made = Image.new("RGB", (640, 480), "olive"), io.BytesIO()
    exif = image.getexif()
    exif[_ARTIST] = owner
    image.save(made, "JPEG", exif=exif)
    return made.getvalue()


def _is_done(caller: Caller, place: str) -> bool:
    return bool(good(caller.get(place))["state"] == "done")


def exported(town: Town, number: str) -> Iterator[tuple[str, bytes]]:
    head = town.officer("head").caller
    for kind in ("csv", "xlsx"):
        made = good(head.post("/v1/exports", {"format": kind, "filters": {"number": [number]}}), 202)
        place = f"/v1/exports/{made['export_id']}"
        eventually(partial(_is_done, head, place), timeout=60)
        for content in unpacked(head.get(f"{place}/file").content):
            yield f"export as {kind}", content


def lived(town: Town) -> tuple[Case, Phone, list[tuple[str, bytes]]]:
    """A complaint from its filing to its letter, with all that could tell who it was; and what was handed out of it."""
    phone = town.phone()
    citizen, _ = town.sign_in(phone)
    photo = citizen.upload(photo_of(NAME))
    about = {"kind": "complaint", "unit": UNIT, "ground": "delay", "text": "پرونده من سه ماه مانده است."}
    case = town.file(citizen, **about, identity={"name": NAME, "national_id": NATIONAL_ID}, uploads=[photo])
    assert case.dashed in phone.next()
    case_id = case.view()["case_id"]
    inspector, head = town.assigned(case), town.officer("head")
    number = inspector.read(case_id)["number"]
    inspector.do(case_id, "citizen-questions", text="چه روزی؟")
    phone.text(case.code)  # and texts it, which the office hears by its provider's webhook
    good(case.holder.post("/v1/tracking/answers", {"text": "دوم شهریور."}))
    assert good(town.opens(case_id, REASON))["identity"]["name"] == NAME

    # What people do wrong: a code in an address, in a search, with a digit changed; a name in the wrong place.
    assert case_id not in head.caller.get("/v1/cases", number=case.code).text
    for path in (f"/v1/tracking/{case.code}", f"/follow/{case.code}?q={phone.mobile}"):
        assert head.caller.get(path).status_code in (400, 404, 422)
    wrong = case.code[:-1] + str((int(case.code[-1]) + 1) % 10)
    assert town.caller(code=wrong).get("/v1/tracking").status_code == 404
    sign_in = {"username": phone.mobile, "password": NAME, "totp": "000000"}
    assert town.caller().post("/v1/auth/staff/tokens", sign_in).status_code in (401, 422)

    inspector.do(case_id, "proposal", **DECISION)
    head.do(case_id, "approval")
    case.view_at("decided")
    readable = [*exported(town, number)]
    for name, paper in (
        ("letter", case.holder.get("/v1/tracking/letter")),
        ("receipt", town.caller().post("/v1/receipts/pdf", case.filed["receipt"])),
    ):
        made = read(paper.content)
        readable.append((name, "\n".join([made.text, made.content, made.title, *made.codes]).encode()))
    for variant in ("evidence", "preview"):
        got = case.holder.get(f"/v1/tracking/attachments/{photo}", variant=variant)
        readable.append((variant, got.content))
    return case, phone, readable


def test_only_the_sealed_store_with_its_key_reveals_the_complainant(town: Town) -> None:
    case, phone, readable = lived(town)
    check_nothing_waits(town.system)
    check_everything_readable(town, case, phone, readable, {phone.mobile}, {case.code})


@pytest.mark.long
def test_nothing_reveals_any_citizen_of_the_town(town: Town) -> None:
    """The same for every mobile and every code that was given out here, by whichever test."""
    case, phone, readable = lived(town)
    check_nothing_waits(town.system)
    check_everything_readable(town, case, phone, readable, town.mobiles, town.codes)


def check_everything_readable(
    town: Town, case: Case, phone: Phone, readable: list[tuple[str, bytes]], mobiles: set[str], codes: set[str]
) -> None:
    mine = [NAME, NATIONAL_ID, phone.mobile[3:], case.code, case.dashed, case.code[:13]]
    secrets = Secrets(
        frozenset(spelt for secret in mine for spelt in spellings(secret)),
        frozenset(mobile[3:].encode() for mobile in mobiles),
        frozenset(code.encode() for code in codes),
    )
    provider = (town.system.state / "simulator.sqlite").read_bytes()
    assert secrets.find(provider), "who looks like this finds what is there"

    looked = [*readable, *metrics(town)]
    looked += [row for service in SERVICES for row in rows(town, service)]
    leaks = {(where, secret) for where, content in looked for secret in secrets.find(content)}
    for path in files(town.system.state):
        place = str(path.relative_to(town.system.state))
        leaks |= {(place, secret) for chunk in chunks(path) for secret in secrets.find(chunk)}
    assert not leaks, sorted(leaks)[:20]


def test_the_sealed_store_reveals_nothing_without_its_master_key(town: Town) -> None:
    phone = town.phone()
    citizen, _ = town.sign_in(phone)
    about = {"kind": "complaint", "unit": UNIT, "ground": "delay", "text": "پرونده من سه ماه مانده است."}
    case = town.file(citizen, **about, identity={"name": NAME, "national_id": NATIONAL_ID})
    case.view()
    query = "SELECT master_key, wrapped_key, nonce, ciphertext FROM identities WHERE submission_id = %s"
    row = reader(town, "intake").execute(query, [case.submission_id]).fetchone()
    assert row is not None
    sealed = SealedIdentity(row[0], *(bytes(part) for part in row[1:]))
    name, _, key = town.system.values["IDENTITY_MASTER_KEYS"].partition(":")
    own = UUID(case.submission_id)
    assert Vault({name: bytes.fromhex(key)}).open(own, sealed).mobile == phone.mobile
    for other in ({name: os.urandom(32)}, {"another": bytes.fromhex(key)}):
        with pytest.raises(Damaged):
            Vault(other).open(own, sealed)
    content = sealed.wrapped_key + sealed.nonce + sealed.ciphertext
    assert not any(spelt in content for secret in (NAME, NATIONAL_ID, phone.mobile[3:]) for spelt in spellings(secret))
