"""Papers: what is on them, how Persian is set on them, and signatures that nobody can change."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import string
import tempfile
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pypdf import PdfReader

from contracts.errors import Unavailable
from contracts.letters import Letter
from contracts.vocabulary import Kind, Language, Outcome, RefusalReason
from gateway.papers.letters import letter_paper
from gateway.papers.paper import Paper, Section, VerificationBlock, from_json, to_json
from gateway.papers.pdf_layout import FONTS, is_right_to_left, pdf, printable
from gateway.papers.signatures import PaperSigner, SignedLetter, SignedReceipt, signature_line_in
from gateway.submissions.catalogue_cache import CatalogueCache
from gateway.submissions.receipts import Receipt, Signer
from tests.support.gateway import CATALOGUE
from tests.support.papers import plain, read

SEED = bytes(range(32))
HASH = hashlib.sha256(b"what is printed").hexdigest()
SIGNED_LETTER = SignedLetter("1405-000123-1", "1405-000123", date(2026, 12, 6), "partly_upheld", HASH)
FILED = datetime(2026, 11, 23, 8, 30, 0, 123456, UTC)
SUBMISSION = UUID("0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11")


@pytest.fixture
def paper_signer() -> PaperSigner:
    return PaperSigner(Signer(SEED))


@pytest.fixture
def catalogue_cache(tmp_path: Path) -> CatalogueCache:
    cache = CatalogueCache(tmp_path)
    cache.put(CATALOGUE)
    return cache


def letter(**more: Any) -> Letter:
    fields = {
        "number": "1405-000123-1",
        "case_number": "1405-000123",
        "issued_at": datetime(2026, 12, 6, 9, tzinfo=UTC),
        "kind": Kind.COMPLAINT,
        "unit_name_fa": "اداره راه‌ها",
        "unit_name_en": "Roads",
        "ground": "delay",
        "filed_at": FILED,
        "outcome": Outcome.PARTLY_UPHELD,
        "reasons": "تأخیر بیش از مهلت بوده است.",
        "objection_until": date(2026, 12, 20),
    }
    return Letter.model_validate({**fields, **more})


def paper(*paragraphs: str, language: str = "fa") -> Paper:
    return Paper(
        language, "بازرسی", "نامه", (("شماره", "۱۴۰۵-۱"),), (Section("دلیل‌ها", (), paragraphs),), ("با احترام",)
    )


def rendered(paper_: Paper, address: str = "https://peygir.example/verify/L1~x") -> Any:
    return read(
        pdf(paper_, VerificationBlock(address, ("بسنجید:", address), "صفحه {page} از {pages}", FILED.isoformat()))
    )


def alone(text: str) -> pypdfium2.PdfPage:
    """The page of a text with nothing else on it."""
    only_text = Paper("fa", "", "", (), (Section("", (), (text,)),), ())
    return pypdfium2.PdfDocument(
        pdf(only_text, VerificationBlock("https://peygir.example/x", (), "", FILED.isoformat()))
    )[0]


def copied(text: str, language: str = "fa") -> str:
    """A text's letters in the order in which a reader gives them that leaves them as they are written."""
    return "".join(PdfReader(io.BytesIO(rendered(paper(text, language=language)).raw)).pages[0].extract_text().split())


# --- signatures ---


def test_a_letters_signature_line_certifies_what_was_signed(paper_signer: PaperSigner) -> None:
    line = paper_signer.sign_letter(SIGNED_LETTER)
    assert paper_signer.verify(line) == SIGNED_LETTER
    assert len(f"https://peygir.qazvin.example/verify/{line}") <= 251  # a QR code of 61 dots, for any camera
    assert set(line) <= set(string.ascii_letters + string.digits + "~-_")  # needs no escaping in a path


def test_a_letters_signature_is_verified_with_the_published_key_alone(paper_signer: PaperSigner) -> None:
    content, _, signature = paper_signer.sign_letter(SIGNED_LETTER).rpartition("~")
    published = Ed25519PublicKey.from_public_bytes(Signer(SEED).public)
    published.verify(base64.urlsafe_b64decode(signature + "=="), content.encode())


def test_a_receipts_signature_line_carries_the_receipts_own_signature(paper_signer: PaperSigner) -> None:
    receipt = Signer(SEED).sign(SUBMISSION, FILED, Kind.CRITICISM, HASH)
    line = paper_signer.sign_receipt(receipt)
    assert line is not None
    assert paper_signer.verify(line) == SignedReceipt(SUBMISSION, FILED, Kind.CRITICISM, HASH)
    assert base64.urlsafe_b64decode(line.rpartition("~")[2] + "==") == base64.b64decode(receipt.signature)


@pytest.mark.parametrize("which", ["letter", "receipt"])
def test_no_single_character_of_a_signature_line_can_be_changed_left_out_or_added(
    paper_signer: PaperSigner, which: str
) -> None:
    receipt = Signer(SEED).sign(SUBMISSION, FILED, Kind.CRITICISM, HASH)
    line = paper_signer.sign_letter(SIGNED_LETTER) if which == "letter" else paper_signer.sign_receipt(receipt)
    assert line is not None
    for at in range(len(line)):
        assert paper_signer.verify(line[:at] + line[at + 1 :]) is None
        for other in "AZaz09~-_Q=+ ":
            if other != line[at]:
                assert paper_signer.verify(line[:at] + other + line[at + 1 :]) is None, at
            assert paper_signer.verify(line[:at] + other + line[at:]) is None or other == line[at], at
    assert paper_signer.verify(line + "=") is None


@pytest.mark.parametrize(
    "line", ["", "~", "L1", "L1~" * 7, "R1~a~b~c~d~e", "L1~a~b~c~d~e~f", "سلام", "x" * 5000, "\ud800"]
)
def test_text_that_is_not_a_signature_line_is_not_genuine(paper_signer: PaperSigner, line: str) -> None:
    assert paper_signer.verify(line) is None


def test_another_offices_signature_is_rejected_and_an_earlier_key_accepted() -> None:
    old, new = Signer(SEED), bytes(32)
    line = PaperSigner(old).sign_letter(SIGNED_LETTER)
    assert PaperSigner(Signer(new)).verify(line) is None
    assert PaperSigner(Signer(new, [old.public])).verify(line) == SIGNED_LETTER
    receipt = old.sign(SUBMISSION, FILED, Kind.CRITICISM, HASH)
    assert PaperSigner(Signer(new)).sign_receipt(receipt) is None
    assert PaperSigner(Signer(new, [old.public])).sign_receipt(receipt) is not None


@pytest.mark.parametrize(
    "payload",
    [
        "{}",
        "[]",
        "null",
        "[" * 900,
        '{"content_hash":"00","filed_at":1,"kind":"x","submission_id":[]}',
        json.dumps(
            {"content_hash": HASH, "filed_at": "2026-11-23T08:30:00Z", "kind": "criticism", "submission_id": "x"}
        ),
    ],
)
def test_a_receipt_of_another_office_is_not_signed(paper_signer: PaperSigner, payload: str) -> None:
    signer = Signer(SEED)
    signature = base64.b64encode(signer.signature(payload.encode())).decode()
    assert paper_signer.sign_receipt(Receipt(payload=payload, signature=signature, key=signer.key_id)) is None


def test_a_signature_line_is_found_in_pasted_text() -> None:
    assert signature_line_in(" https://peygir.example/verify/L1~a~b?lang=en\n") == "L1~a~b"
    assert signature_line_in("L1~a\n  ~b") == "L1~a~b"


# --- words ---


@pytest.mark.parametrize("language", list(Language))
def test_a_letter_of_decision_contains_outcome_reasons_and_the_right_to_object(
    catalogue_cache: CatalogueCache, language: Language
) -> None:
    made = letter_paper(letter(recommended_until=[date(2027, 1, 20)]), language, catalogue_cache)
    content = made.content()
    fa = language is Language.FA
    assert made.title == ("نامه اعلام نتیجه رسیدگی" if fa else "Notice of decision")
    assert ("۱۴۰۵-۰۰۰۱۲۳-۱" if fa else "1405-000123-1") in content
    for words_ in (
        ("شکایت", "اداره راه‌ها", "اطاله", "وارد جزئی", "۱۵ آذر ۱۴۰۵", "تا پایان ۲۹ آذر ۱۴۰۵", "۳۰ دی ۱۴۰۵")
        if fa
        else (
            "Complaint",
            "Roads",
            "Delay",
            "Partly upheld",
            "6 December 2026",
            "end of 20 December 2026",
            "20 January 2027",
        )
    ):
        assert words_ in content
    assert "تأخیر بیش از مهلت بوده است." in content


def test_the_final_letter_offers_no_objection(catalogue_cache: CatalogueCache) -> None:
    made = letter_paper(letter(number="1405-000123-2", final=True, objection_until=None), Language.FA, catalogue_cache)
    assert made.title == "نامه اعلام نتیجه نهایی پس از اعتراض"
    assert "نهایی است" in made.content()
    assert "می‌توانید یک بار" not in made.content()


def test_a_letter_of_refusal_contains_its_reason_and_the_right_address(catalogue_cache: CatalogueCache) -> None:
    refused = letter(
        outcome=None,
        reasons=None,
        objection_until=None,
        refusal_reason=RefusalReason.OUTSIDE_REMIT,
        refusal_explanation="موضوع به شرکت آب مربوط است.",
        refusal_address="شرکت آب و فاضلاب، خیابان نمونه",
    )
    content = letter_paper(refused, Language.FA, catalogue_cache).content()
    for expected in (
        "عدم پذیرش",
        "صلاحیت شهرداری نیست",
        "موضوع به شرکت آب مربوط است.",
        "شرکت آب و فاضلاب، خیابان نمونه",
    ):
        assert expected in content
    assert "اعتراض" not in content


def test_no_letter_is_issued_without_the_names_of_grounds(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        letter_paper(letter(), Language.FA, CatalogueCache(tmp_path))


def test_a_document_reaches_the_worker_unchanged() -> None:
    made, stamp = paper("یک", "دو"), VerificationBlock("a", ("b",), "c", FILED.isoformat())
    assert from_json(to_json(made, stamp)) == (made, stamp)


# --- the only_text ---


def test_the_qr_code_is_read_and_the_content_is_attached() -> None:
    made = paper("متن")
    address = f"https://peygir.qazvin.example/verify/{PaperSigner(Signer(SEED)).sign_letter(SIGNED_LETTER)}"
    pdf_read = rendered(made, address)
    assert pdf_read.codes == [address]
    assert pdf_read.content == made.content()
    assert hashlib.sha256(pdf_read.content.encode()).hexdigest() == made.content_hash()
    assert pdf_read.title == "نامه"


def test_the_same_document_gives_the_same_pdf() -> None:
    assert rendered(paper("متن")).raw == rendered(paper("متن")).raw


def boxes(text: str, letters: str) -> list[tuple[float, float]]:
    """Where these letters of a text of one line stand: left and right, in points, in the order of the text."""
    page = alone(text).get_textpage()
    places = [(page.get_text_range(at, 1), page.get_charbox(at)) for at in range(page.count_chars())]
    return [(left, right) for character, (left, _, right, _) in places if character and character in letters]


def extent(text: str, letters: str) -> float:
    """How far these letters reach."""
    stand = boxes(text, letters)
    assert len(stand) == len(letters)
    return max(right for _, right in stand) - min(left for left, _ in stand)


def test_persian_letters_are_joined() -> None:
    """Joined, theh is wide at the end of a word alone; a ZWNJ after each makes each an end."""
    assert extent("ثثث", "ثثث") < 0.7 * extent("ث\u200cث\u200cث", "ثثث")


MARKS = "\u064e\u0650\u064f\u0651\u064b\u064d\u064c\u0652\u0670\u0654"
"""Zebar, zir, pish, tashdid, the three tanvins, sokun, the small alef, hamze above."""


@pytest.mark.parametrize("mark", MARKS)
def test_a_marked_word_stays_one_word(mark: str) -> None:
    """Its letters are as wide as without the mark: none takes the form that it has at the end of a word."""
    plain_, marked = "عثثث", f"ع{mark}ث{mark}ث{mark}ث"
    assert extent(marked, plain_) == pytest.approx(extent(plain_, plain_), rel=0.05)


@pytest.mark.parametrize("word", ["علّت", "مُهر", "مُعلِّم", "خانهٔ", "قرآنِ", "اوّلاً", "تأمّل", "مسألهٔ", "رَبّ"])
def test_a_marked_word_is_copied_as_one_word_with_all_its_letters(word: str) -> None:
    """Some readers put the mark before its letter; none may take the word apart or tell a letter twice."""
    words_ = plain(rendered(paper(f"الف {word} پایان")).text).split()
    assert sorted(words_[words_.index("الف") + 1]) == sorted(unicodedata.normalize("NFC", word))


def test_a_zwnj_stays_between_its_letters() -> None:
    """In a word it is, for whoever copies it, where it was typed."""
    text = PdfReader(io.BytesIO(rendered(paper("آنها می\u200cروند و خانه\u200cها")).raw)).pages[0].extract_text()
    assert "می\u200cروند" in text
    assert "خانه\u200cها" in text


FONT_OF = {
    "✓": "NotoSansSymbols2",
    "→": "NotoSansSymbols",
    "⇒": "NotoSansMath",
    "①": "NotoSansSymbols",
    "😀": "NotoEmoji",
    "👨\u200d👩\u200d👧": "NotoEmoji",
    "🇮🇷": "NotoEmoji",
    "Ж": "NotoSans",
    "ڙ": "NotoSansArabic",
    "漢": "PeygirBox",
    "ไ": "PeygirBox",
    "\U000abcde": "PeygirBox",
}


@pytest.mark.parametrize("sign", FONT_OF)
def test_every_character_is_rendered_by_a_font_that_has_it(sign: str) -> None:
    pdf_read = rendered(paper(f"متن {sign} پایان"))
    assert FONT_OF[sign] in {name.partition("+")[2].rpartition("-")[0] for name in fonts_in(pdf_read.raw)}
    assert "\ufffd" not in pdf_read.text
    if FONT_OF[sign] != "NotoEmoji":  # of which a reader gives back some parts alone
        assert sign in copied(sign)


def fonts_in(raw: bytes) -> set[str]:
    """The names of the fonts that a PDF draws with."""
    named: set[str] = set()
    for page in PdfReader(io.BytesIO(raw)).pages:
        resources: Any = page["/Resources"]
        named |= {str(font.get_object()["/BaseFont"]).removeprefix("/") for font in resources["/Font"].values()}
    return named


def test_latin_text_and_digits_keep_their_order_within_persian() -> None:
    """From left to right as they are seen."""
    assert seen("سامانه Qazvin Man بند ۱۲ دارد", "دارد", "12", "بند", "Qazvin", "Man", "سامانه")
    assert seen("see شماره ۱۲۳ here", "see", "۱۲۳", "شماره", "here")
    assert seen("نامه (طبق ADM-77) به a.b@example.com رسید", "رسید", "example", "به", "ADM", "طبق")
    assert seen("طبق https://example.com/a?b=c رسید", "رسید", "https", "طبق")


def seen(text: str, *in_order: str) -> bool:
    """Whether these parts of it stand so from left to right; each begins with a letter that is in no other place."""
    page = alone(text).get_textpage()
    lefts = []
    for part in in_order:
        first = page.search(part.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")) if part.isdigit() else part)
        position = first.get_next()
        assert position is not None, part
        lefts.append(min(page.get_charbox(at)[0] for at in range(position[0], sum(position))))
    return lefts == sorted(lefts)


@pytest.mark.parametrize(
    "hostile",
    [
        '#read("/etc/passwd")',
        '#import "@preview/cetz:0.3.0"; *bold* _it_ $x^2$ `raw` <a> @b',
        "#panic() = Heading // no comment /* nor this */ \\ #{ sys.inputs }",
        "{page} {pages} %s ${HOME} <b>x</b>",
    ],
)
def test_a_text_is_never_read_as_markup(hostile: str) -> None:
    assert "".join(hostile.split()) in copied(hostile, "en")


def test_no_character_stops_a_letter() -> None:
    """PDF/A takes no sign without a picture, and none of private use: of all that there are every hundredth or so."""
    signed_in = (
        chr(code_point)
        for first in range(0, 97, 32)
        for code_point in range(first, 0x110000, 97)
        if not 0xD800 <= code_point < 0xE000
    )
    assert rendered(paper(" ".join(signed_in))).raw.startswith(b"%PDF-")


@pytest.mark.parametrize("control", ["\u202e", "\u202d", "\u202a", "\x00", "\x1b", "\u200b", "\ufeff", "\u2028"])
def test_direction_and_invisible_controls_are_not_rendered(control: str) -> None:
    assert printable(f"not{control}upheld").replace(" ", "") == "notupheld"


def test_an_address_broken_across_lines_is_copied_completely() -> None:
    address = f"https://peygir.qazvin.example/verify/{PaperSigner(Signer(SEED)).sign_letter(SIGNED_LETTER)}"
    text = PdfReader(io.BytesIO(rendered(paper("متن"), address).raw)).pages[0].extract_text()
    assert address in "".join(text.split())


@pytest.mark.parametrize("word", ["a" * 400, "ک" * 400, "1" * 400, "😀" * 100, "https://example.com/" + "x-" * 200])
def test_a_word_longer_than_a_line_stays_within_the_margins(word: str) -> None:
    page = alone(word)
    text = page.get_textpage()
    stand = [text.get_charbox(at) for at in range(text.count_chars())]
    width = page.get_width()
    assert min(left for left, _, right, _ in stand if right > left) > 50
    assert max(right for left, _, right, _ in stand if right > left) < width - 50


def test_the_file_metadata_describes_it_and_reveals_nothing_of_the_machine() -> None:
    for language in ("fa", "en"):
        pdf_read = rendered(paper("متن", language=language))
        reader = PdfReader(io.BytesIO(pdf_read.raw))
        root: Any = reader.trailer["/Root"]
        assert root["/Lang"] == language
        assert root["/MarkInfo"]["/Marked"]
        metadata = root["/Metadata"].get_data().decode()
        assert "<pdfaid:part>3</pdfaid:part>" in metadata
        assert reader.metadata is not None
        assert reader.metadata.author == "بازرسی"
        everything = (
            pdf_read.raw + metadata.encode() + b"".join(str(value).encode() for value in reader.metadata.values())
        )
        for internal_path in (str(FONTS), tempfile.gettempdir(), str(Path.home()), "gateway/papers"):
            assert internal_path.encode() not in everything


def test_the_emblem_of_the_office_replaces_the_default() -> None:
    own = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9H0z" fill="#ff0000"/></svg>'
    address = "https://peygir.example/verify/L1~x"
    stamp = VerificationBlock(address, ("بسنجید:", address), "{page}/{pages}", FILED.isoformat())
    reds = []
    for emblem in ("", own):
        page = pypdfium2.PdfDocument(pdf(paper("متن"), replace(stamp, emblem=emblem)))[0].render(scale=1).to_pil()
        reds.append(sum(count for count, colour in page.convert("RGB").getcolors(1 << 24) if colour == (255, 0, 0)))
    assert reds[0] == 0
    assert reds[1] > 1_000


@pytest.mark.parametrize(("text", "right"), [("سلام Hi", True), ("Hi سلام", False), ("«سلام»", True), ("۱۲ - (", True)])
def test_the_direction_of_a_paragraph_follows_its_first_letter(text: str, right: bool) -> None:
    assert is_right_to_left(text, default=True) is right


def test_a_long_text_spans_numbered_pages_and_loses_no_word() -> None:
    words_ = [f"واژه{number}x" for number in range(1500)]
    pdf_read = rendered(paper(" ".join(words_)))
    assert pdf_read.pages > 2
    assert pdf_read.codes == ["https://peygir.example/verify/L1~x"]
    text = plain(pdf_read.text)
    assert [word for word in words_ if word.removeprefix("واژه").removesuffix("x") not in text] == []
    document = [plain(part) for part in pdf_read.text.split("بازرسی")]
    assert len(document) == pdf_read.pages + 1  # the office's name heads each page
    assert "صفحه ۱ از" in text


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 5000,
        "ک" * 5000,
        "\n" * 3000,
        "😀👨‍👩‍👧🏽 漢字 עברית \u0651\u0651\u0651",
        "{nb} {page} {pages} %s **bold** __x__",
        "\u202e\u2066\u200f\u200e",
        "(((((«»[[[}}}",
        "\u00a0\t \u3000",
        "",
    ],
)
def test_no_text_breaks_the_layout(hostile: str) -> None:
    pdf_read = rendered(paper(hostile))
    assert pdf_read.pages >= 1
    assert pdf_read.codes == ["https://peygir.example/verify/L1~x"]
