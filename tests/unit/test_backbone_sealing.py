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


def test_the_recipient_opens_it() -> None:
    assert sealing.unseal(sealed(), Identity, [OLD]) == CITIZEN


def test_a_box_sealed_to_a_former_key_is_opened_while_that_key_is_held() -> None:
    for key in (OLD, NEW):
        assert sealing.unseal(sealed(sealing.public_key(key)), Identity, [NEW, OLD]) == CITIZEN


def test_nobody_else_opens_it() -> None:
    with pytest.raises(CannotOpen):
        sealing.unseal(sealed(), Identity, [NEW, STRANGER])
    with pytest.raises(CannotOpen):
        sealing.unseal(sealed(), Identity, [sealing.public_key(OLD)])


def test_it_reveals_nothing_not_even_that_two_are_equal() -> None:
    box = sealed()
    assert box != sealed()
    raw = base64.b64decode(box)
    assert NAME.encode() not in raw
    assert MOBILE.encode() not in raw


@given(st.integers(0, 500), st.integers(1, 255))
def test_a_box_with_one_changed_byte_cannot_be_opened(place: int, by: int) -> None:
    with pytest.raises(CannotOpen):
        sealing.unseal(damaged(sealed(), place, by), Identity, [OLD])


@given(st.text(max_size=100))
def test_input_that_is_not_a_box_cannot_be_opened(text: str) -> None:
    with pytest.raises(CannotOpen):
        sealing.unseal(text, Identity, [OLD])
    with pytest.raises(CannotOpen):
        sealing.decrypt(text, OLD)


@pytest.mark.parametrize("cut", [0, 4, 32, 60, -4])
def test_a_truncated_box_cannot_be_opened(cut: int) -> None:
    with pytest.raises(CannotOpen):
        sealing.unseal(sealed()[:cut], Identity, [OLD])


def test_a_box_with_other_content_is_refused_without_quoting_it() -> None:
    with pytest.raises(CannotOpen) as refusal:
        sealing.unseal(sealed(), Contact, [OLD])
    assert NAME not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_encrypted_data_is_decrypted_only_with_its_key() -> None:
    locked = sealing.encrypt(MOBILE, OLD)
    assert sealing.decrypt(locked, OLD) == MOBILE
    assert locked != sealing.encrypt(MOBILE, OLD)
    with pytest.raises(CannotOpen):
        sealing.decrypt(locked, NEW)


@given(st.integers(0, 100), st.integers(1, 255))
def test_changed_encrypted_data_cannot_be_decrypted(place: int, by: int) -> None:
    with pytest.raises(CannotOpen):
        sealing.decrypt(damaged(sealing.encrypt(MOBILE, OLD), place, by), OLD)


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_keyed_hash_distinguishes_texts(first: str, second: str) -> None:
    hashed = sealing.keyed_hash(first, OLD)
    assert (hashed == sealing.keyed_hash(second, OLD)) == (first == second)
    assert hashed != sealing.keyed_hash(first, NEW)
