"""Tracking codes: read however they are typed, refused when mistyped, honoured after the keys have changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import tracking_codes

OLD, NEW, DERIVE, INDEX, OLDER_INDEX = (bytes([n]) * 32 for n in range(1, 6))
SCRIPTS = ("0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９")
SEPARATORS = ("", " ", "-", "–", "\u00a0", "\u200c", "\u200f", ".", "_")

seeds = st.binary(min_size=1, max_size=60)


def code_of(seed: bytes, *mac_keys: bytes) -> str:
    return tracking_codes.derive(mac_keys or (OLD,), DERIVE, seed)[0]


def some_codes(count: int) -> list[str]:
    """The same in each run."""
    return [code_of(n.to_bytes(4, "big")) for n in range(count)]


def mistyped(code: str) -> Iterator[str]:
    """Each digit wrong, and each two neighbours swapped."""
    for place, digit in enumerate(code):
        for wrong in "0123456789".replace(digit, ""):
            yield code[:place] + wrong + code[place + 1 :]
    for place in range(15):
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        if swapped != code:
            yield swapped


def test_a_new_code_is_sixteen_random_digits_and_never_repeated() -> None:
    minted = {tracking_codes.mint([OLD]) for _ in range(3000)}
    assert len(minted) == 3000
    assert all(re.fullmatch(r"[0-9]{16}", code) for code in minted)
    assert {code[0] for code in minted} == set("0123456789")
    assert all(tracking_codes.parse(code, [OLD]) == code for code in minted)


@given(seeds, st.lists(st.tuples(st.sampled_from(SCRIPTS), st.sampled_from(SEPARATORS)), min_size=16, max_size=16))
def test_a_code_is_read_in_any_script_and_grouping(seed: bytes, hand: list[tuple[str, str]]) -> None:
    code = code_of(seed)
    typed = "".join(script[int(digit)] + mark for digit, (script, mark) in zip(code, hand, strict=True))
    assert tracking_codes.parse(f" {typed}\n", [OLD]) == code


def test_it_is_shown_in_groups_of_four_and_read_back() -> None:
    code = code_of(b"")
    shown = tracking_codes.grouped(code)
    assert re.fullmatch(r"\d{4} \d{4} \d{4} \d{4}", shown)
    assert tracking_codes.parse(shown, [OLD]) == code


@pytest.mark.parametrize(
    "typed", ["", " ", "1234", "کد رهگیری", "1234 5678 9012 345x", "²" * 17, "0" * 65, "0 " * 2_001]
)
def test_other_text_is_not_a_code(typed: str) -> None:
    assert tracking_codes.parse(typed, [OLD]) is None


def test_a_digit_too_few_or_too_many_is_refused() -> None:
    code = code_of(b"")
    assert tracking_codes.parse(code[:-1], [OLD]) is None
    assert tracking_codes.parse(code + "0", [OLD]) is None


@pytest.mark.parametrize(
    "around",
    [
        "کد پیگیری شما: {}",
        "کد رهگیری شکایت شما:\n{}\nبازرسی شهرداری قزوین، تلفن ۰۲۸۳۳۲۲۱۱۰۰",
        "پیگیر\nشکایت شما در ۱۴۰۵/۰۹/۰۲ ساعت ۱۴:۰۵ ثبت شد.\n{}\nلغو۱۱",
        "{} 09121234567",
        "0912 345 6789 {}",
        "+98 912 345 6789 - {} - 1405/09/02",
        "2026-11-23 14:05:11 {}",
        "شماره پرونده 1405-000123 کد {}",
        "<{}>",
        "Your code: {}. Keep it; visit https://peygir.example/follow?x=123",
    ],
)
@pytest.mark.parametrize("mark", ["", " ", "-", "/", " / ", ".", "_", "–", "\u00a0", "\u2060 "])
def test_a_code_is_found_in_a_whole_message(around: str, mark: str) -> None:
    for code in some_codes(20):
        typed = around.format(mark.join(code[at : at + 4] for at in range(0, 16, 4)))
        for script in SCRIPTS:
            assert tracking_codes.parse(typed.translate(str.maketrans("0123456789", script)), [OLD]) == code


def test_neither_of_two_codes_in_one_text_is_used() -> None:
    code, other_code = some_codes(2)
    assert (
        tracking_codes.parse(f"{tracking_codes.grouped(code)} یا {tracking_codes.grouped(other_code)}", [OLD]) is None
    )
    assert tracking_codes.parse(f"{code} و دوباره {tracking_codes.grouped(code)}", [OLD]) == code


def test_one_text_cannot_be_used_to_try_many_codes() -> None:
    """Each number that is looked at is a guess, and more than a few make the text none of a citizen's."""
    for count in range(1, 200):
        text = "، کد ".join(f"{n:016d}" for n in range(count))
        assert len(tracking_codes.candidates(text)) <= tracking_codes.MOST_CANDIDATES
    many = "، کد ".join([*some_codes(1), *(f"{n:016d}" for n in range(tracking_codes.MOST_CANDIDATES))])
    assert tracking_codes.parse(many, [OLD]) is None
    assert tracking_codes.candidates("1" * 1_000 + " " + " ".join("12" * 400)) == []


@given(st.text(alphabet=st.sampled_from("0123456789۰۹٣ -/.\u200cآa:\n"), max_size=300))
def test_no_text_breaks_the_search_for_a_code(text: str) -> None:
    candidates = tracking_codes.candidates(text)
    assert len(candidates) <= tracking_codes.MOST_CANDIDATES
    assert all(re.fullmatch(r"[0-9]{16}", code) for code in candidates)


def test_hardly_one_in_a_thousand_mistyped_codes_is_accepted() -> None:
    tries = [typed for code in some_codes(120) for typed in mistyped(code)]
    let_in = sum(tracking_codes.parse(typed, [OLD]) is not None for typed in tries)
    assert len(tries) > 15_000
    assert let_in < len(tries) * 0.002


def test_a_mistyped_check_digit_is_always_refused() -> None:
    for code in some_codes(50):
        for wrong in mistyped(code):
            if wrong[:13] == code[:13]:
                assert tracking_codes.parse(wrong, [OLD]) is None


def test_an_invented_code_is_accepted_at_most_once_in_a_thousand() -> None:
    # The bodies are ours, the check digits are not: they belong to another office's key.
    invented = [code_of(n.to_bytes(4, "big"), NEW) for n in range(20_000)]
    assert sum(tracking_codes.parse(code, [OLD]) is not None for code in invented) < 40


@given(seeds)
def test_a_code_of_a_former_key_is_accepted_while_that_key_is_held(seed: bytes) -> None:
    code = code_of(seed, OLD)
    assert tracking_codes.parse(code, [NEW, OLD]) == code


def test_without_its_key_it_is_refused() -> None:
    assert sum(tracking_codes.parse(code, [NEW]) is not None for code in some_codes(500)) <= 5


@given(seeds, seeds)
def test_a_retry_gets_the_same_code_and_id_and_another_request_gets_others(seed: bytes, other: bytes) -> None:
    code, submission_id = tracking_codes.derive([OLD], DERIVE, seed)
    assert tracking_codes.derive([OLD], DERIVE, bytes(bytearray(seed))) == (code, submission_id)
    for different in {other, seed + other, other + seed, seed + b"!"} - {seed}:
        other_code, other_id = tracking_codes.derive([OLD], DERIVE, different)
        assert other_code != code
        assert other_id != submission_id
    assert (submission_id.version, submission_id.variant) == (4, RFC_4122)


@given(seeds)
def test_nobody_without_the_key_can_derive_it(seed: bytes) -> None:
    code, submission_id = tracking_codes.derive([OLD], DERIVE, seed)
    stranger = tracking_codes.derive([OLD], bytes(32), seed)
    assert stranger[0] != code
    assert stranger[1] != submission_id


@given(seeds)
def test_a_retry_after_a_key_change_refers_to_the_same_case(seed: bytes) -> None:
    """Its check digits are new; what it is stored under is not, so both codes open the case."""
    before, first_id = tracking_codes.derive([OLD], DERIVE, seed)
    after, again_id = tracking_codes.derive([NEW, OLD], DERIVE, seed)
    assert first_id == again_id
    assert tracking_codes.hashes(after, [INDEX]) == tracking_codes.hashes(before, [INDEX])


@given(seeds, seeds)
def test_stored_hashes_distinguish_codes_and_reveal_none(seed: bytes, other: bytes) -> None:
    code = code_of(seed)
    [stored] = tracking_codes.hashes(code, [INDEX])
    assert re.fullmatch(r"[0-9a-f]{64}", stored)
    assert tracking_codes.hashes(code, [INDEX]) == [stored]
    assert tracking_codes.hashes(code, [OLDER_INDEX]) != [stored], "nothing is learnt without the key"
    if other != seed:
        assert tracking_codes.hashes(code_of(other), [INDEX]) != [stored]


def test_a_hash_stored_with_a_former_key_is_found() -> None:
    code = code_of(b"")
    now, before = tracking_codes.hashes(code, [INDEX, OLDER_INDEX])
    assert tracking_codes.hashes(code, [INDEX]) == [now]
    assert tracking_codes.hashes(code, [OLDER_INDEX]) == [before]
