"""Sealing: only its owner opens it, also after the key has changed; what was touched is opened by nobody."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone import sealing
from backbone.sealing import CannotOpen
from contracts.gateway import Contact, Identity

OLD, NEW, STRANGER = (bytes([n]) * 32 for n in range(1, 4))
NAME, MOBILE = "شاکی نمونه", "+989120000000"
CITIZEN = Identity(name=NAME, mobile=MOBILE)


def sealed(public_key: bytes = sealing.public_key(OLD)) -> str:
    return sealing.seal(CITIZEN, public_key)


def damaged(text: str, place: int, by: int) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[place % len(raw)] ^= by
    return base64.b64encode(raw).decode()


def test_its_owner_opens_it() -> None:
    assert sealing.unseal(sealed(), Identity, [OLD]) == CITIZEN


def test_what_was_sealed_to_the_former_key_is_opened_while_that_is_held() -> None:
    for key in (OLD, NEW):
        assert sealing.unseal(sealed(sealing.public_key(key)), Identity, [NEW, OLD]) == CITIZEN


def test_nobody_else_opens_it() -> None:
    with pytest.raises(CannotOpen):
        sealing.unseal(sealed(), Identity, [NEW, STRANGER])
    with pytest.raises(CannotOpen):
        sealing.unseal(sealed(), Identity, [sealing.public_key(OLD)])


def test_it_shows_nothing_not_even_that_two_are_the_same() -> None:
    box = sealed()
    assert box != sealed()
    raw = base64.b64decode(box)
    assert NAME.encode() not in raw
    assert MOBILE.encode() not in raw


@given(st.integers(0, 500), st.integers(1, 255))
def test_a_box_with_one_byte_changed_is_opened_by_nobody(place: int, by: int) -> None:
    with pytest.raises(CannotOpen):
        sealing.unseal(damaged(sealed(), place, by), Identity, [OLD])


@given(st.text(max_size=100))
def test_what_is_no_box_cannot_be_opened(text: str) -> None:
    with pytest.raises(CannotOpen):
        sealing.unseal(text, Identity, [OLD])
    with pytest.raises(CannotOpen):
        sealing.decrypt(text, OLD)


@pytest.mark.parametrize("cut", [0, 4, 32, 60, -4])
def test_a_box_cut_short_cannot_be_opened(cut: int) -> None:
    with pytest.raises(CannotOpen):
        sealing.unseal(sealed()[:cut], Identity, [OLD])


def test_a_box_that_holds_something_else_is_refused_without_quoting_it() -> None:
    with pytest.raises(CannotOpen) as refusal:
        sealing.unseal(sealed(), Contact, [OLD])
    assert NAME not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_what_is_locked_is_unlocked_by_its_key_alone() -> None:
    locked = sealing.encrypt(MOBILE, OLD)
    assert sealing.decrypt(locked, OLD) == MOBILE
    assert locked != sealing.encrypt(MOBILE, OLD)
    with pytest.raises(CannotOpen):
        sealing.decrypt(locked, NEW)


@given(st.integers(0, 100), st.integers(1, 255))
def test_what_is_locked_and_touched_cannot_be_unlocked(place: int, by: int) -> None:
    with pytest.raises(CannotOpen):
        sealing.decrypt(damaged(sealing.encrypt(MOBILE, OLD), place, by), OLD)


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_keyed_hash_tells_texts_apart(one: str, other: str) -> None:
    hashed = sealing.keyed_hash(one, OLD)
    assert (hashed == sealing.keyed_hash(other, OLD)) == (one == other)
    assert hashed != sealing.keyed_hash(one, NEW)
