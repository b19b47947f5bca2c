"""Passkeys, on a running service: registered, used in place of TOTP, and what no answer of a browser may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import own_account
from contracts.accounts import SecondFactor
from contracts.errors import BadCredentials, InvalidField, LastSecondFactor, NotFound, TooManyPasskeys
from gateway.api.accounts.passkey_options import creation_options, request_options
from services.accounts.passkeys.rules import MOST_PASSKEYS
from tests.component.test_accounts_own_account import Owner, owner, wrong  # noqa: F401  # a fixture
from tests.support.accounts import ORIGIN
from tests.support.authenticator import Authenticator, encode
from tests.support.processes import eventually

pytest_plugins = ["tests.support.accounts"]
pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]
JSON = dict[str, Any]


def creation(owner: Owner, factor: SecondFactor | None = None) -> JSON:  # noqa: F811  # not the fixture
    """The options that a browser is given for a new passkey."""
    request = own_account.BeginPasskeyRegistration(second_factor=factor or owner.totp(), **owner.own)
    reply = owner.call("begin_passkey_registration", request)
    return creation_options(own_account.PasskeyRegistration.model_validate(reply)).model_dump()


def add(owner: Owner, credential: JSON, name: str = "گوشی من") -> JSON:  # noqa: F811
    request = own_account.AddPasskey(name=name, credential=json.dumps(credential), **owner.own)
    return owner.call("add_passkey", request)


def register(owner: Owner, authenticator: Authenticator) -> JSON:  # noqa: F811
    return add(owner, authenticator.create(creation(owner)))


def challenge(owner: Owner) -> JSON:  # noqa: F811
    """The options that a browser is given for signing in."""
    reply = owner.call("begin_passkey_use", own_account.BeginPasskeyUse())
    return request_options(own_account.PasskeyChallenge.model_validate(reply)).model_dump()


def shown(credential: JSON) -> SecondFactor:
    return SecondFactor(passkey=json.dumps(credential))


def use(owner: Owner, authenticator: Authenticator, **more: Any) -> SecondFactor:  # noqa: F811
    return shown(authenticator.get(challenge(owner), **more))


@pytest.mark.parametrize("synced", [False, True])
def test_it_signs_in_in_place_of_totp_again_and_again(owner: Owner, synced: bool) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN, synced=synced)
    passkey = register(owner, authenticator)
    assert (passkey["name"], passkey["synced"], passkey["used_at"]) == ("گوشی من", synced, None)
    for _ in range(2):
        assert owner.sign_in(use(owner, authenticator))["access_token"]
    [listed] = owner.factors()["passkeys"]
    assert listed["used_at"] is not None
    eventually(lambda: owner.news() == ["passkey_added"])
    assert ("add_passkey", "done") in owner.audited()


def test_it_needs_the_password_as_well(owner: Owner) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN)
    register(owner, authenticator)
    with pytest.raises(BadCredentials):
        owner.sign_in(use(owner, authenticator), password="wrong")
    assert owner.sign_in(use(owner, authenticator))["access_token"]


def test_an_answer_is_good_once_and_for_five_minutes(owner: Owner) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN, synced=True)
    register(owner, authenticator)
    answer = use(owner, authenticator)
    assert owner.sign_in(answer)["access_token"]
    with pytest.raises(BadCredentials):
        owner.sign_in(answer)
    late = use(owner, authenticator)
    owner.accounts.sql("UPDATE passkey_challenges SET expires_at = now()")
    with pytest.raises(BadCredentials):
        owner.sign_in(late)
    # One that a wrong password came with is used up, too.
    tried = use(owner, authenticator)
    with pytest.raises(BadCredentials):
        owner.sign_in(tried, password="wrong")
    with pytest.raises(BadCredentials):
        owner.sign_in(tried)


def _changed(part: str, value: Any) -> Callable[[JSON], JSON]:
    return lambda credential: {**credential, "response": {**credential["response"], part: value}}


@pytest.mark.parametrize(
    "spoil",
    [
        _changed("signature", encode(bytes(70))),
        _changed("userHandle", encode(uuid4().bytes)),
        _changed("authenticatorData", encode(b"short")),
        _changed("clientDataJSON", encode(b"{}")),
        _changed("clientDataJSON", "!"),
        lambda credential: {**credential, "rawId": encode(bytes(32)), "id": encode(bytes(32))},
        lambda credential: {**credential, "id": "other"},
        lambda credential: {**credential, "response": []},
        lambda credential: {**credential, "response": None},
    ],
)
def test_a_spoiled_answer_is_none(owner: Owner, spoil: Callable[[JSON], JSON]) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN)
    register(owner, authenticator)
    with pytest.raises(BadCredentials):
        owner.sign_in(shown(spoil(authenticator.get(challenge(owner)))))
    assert owner.sign_in(use(owner, authenticator))["access_token"]


def test_another_sites_page_and_an_owner_who_was_not_verified_are_refused(owner: Owner) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN)
    register(owner, authenticator)
    authenticator.origin = "https://peygir.example.evil.example"
    with pytest.raises(BadCredentials):
        owner.sign_in(use(owner, authenticator))
    authenticator.origin, authenticator.verifies = ORIGIN, False
    with pytest.raises(BadCredentials):
        owner.sign_in(use(owner, authenticator))


def test_a_copy_of_an_authenticator_that_counts_is_found_out(owner: Owner) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN)
    register(owner, authenticator)
    assert owner.sign_in(use(owner, authenticator))["access_token"]
    with pytest.raises(BadCredentials):
        owner.sign_in(use(owner, authenticator, count=False))


def test_anothers_passkey_signs_nobody_else_in(owner: Owner) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN, synced=True)
    register(owner, authenticator)
    request = use(owner, authenticator)
    with pytest.raises(BadCredentials):
        owner.broker_client.call(
            "accounts",
            "sign_in_staff",
            own_sign_in(owner, "head", owner.accounts.staff["head"]["password"], request),
        )


def own_sign_in(owner: Owner, username: str, password: str, factor: SecondFactor) -> Any:  # noqa: F811
    from contracts.accounts import SignInStaff

    return SignInStaff(username=username, password=password, second_factor=factor, address_key=owner.username)


@pytest.mark.parametrize("spoiled", ["origin", "verifies", "challenge", "old", "nonsense"])
def test_no_passkey_is_registered_by_a_wrong_answer(owner: Owner, spoiled: str) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN)
    options = creation(owner)
    if spoiled == "origin":
        authenticator.origin = "https://evil.example"
    elif spoiled == "verifies":
        authenticator.verifies = False
    elif spoiled == "challenge":  # one for signing in is none for registering
        options["challenge"] = challenge(owner)["challenge"]
    elif spoiled == "old":
        owner.accounts.sql("UPDATE passkey_challenges SET expires_at = now() WHERE staff_id = %s", owner.staff_id)
    credential = authenticator.create(options)
    if spoiled == "nonsense":
        credential["response"]["attestationObject"] = encode(b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff")
    with pytest.raises(InvalidField) as refusal:
        add(owner, credential)
    assert wrong(refusal) == {"credential": "bad_passkey"}
    assert owner.factors()["passkeys"] == []


def test_an_answer_registers_once_and_excludes_itself_the_next_time(owner: Owner) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN)
    credential = authenticator.create(creation(owner))
    add(owner, credential)
    with pytest.raises(InvalidField):
        add(owner, credential)
    assert [excluded["id"] for excluded in creation(owner)["excludeCredentials"]] == [credential["id"]]


def test_it_is_named_and_removed_and_the_last_second_factor_stays(owner: Owner) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN)
    passkey_id = UUID(register(owner, authenticator)["passkey_id"])
    renamed = owner.call(
        "rename_passkey", own_account.RenamePasskey(passkey_id=passkey_id, name="کلید سخت‌افزاری", **owner.own)
    )
    assert renamed["name"] == "کلید سخت‌افزاری"
    with pytest.raises(NotFound):
        owner.call("rename_passkey", own_account.RenamePasskey(passkey_id=uuid4(), name="x", **owner.own))

    removed = own_account.RemoveTotp(second_factor=use(owner, authenticator), **owner.own)
    assert owner.call("remove_totp", removed)["totp"] is False
    with pytest.raises(BadCredentials):
        owner.sign_in()  # by the app of before
    owner.session = owner.sign_in(use(owner, authenticator))

    def remove(passkey: UUID) -> JSON:
        factor = use(owner, authenticator)
        return owner.call(
            "remove_passkey", own_account.RemovePasskey(passkey_id=passkey, second_factor=factor, **owner.own)
        )

    with pytest.raises(LastSecondFactor):
        remove(passkey_id)
    with pytest.raises(NotFound):
        remove(uuid4())
    other = Authenticator(ORIGIN)
    second = add(owner, other.create(creation(owner, use(owner, authenticator))))
    assert [passkey["passkey_id"] for passkey in remove(passkey_id)["passkeys"]] == [second["passkey_id"]]
    with pytest.raises(BadCredentials):
        owner.sign_in(use(owner, authenticator))
    assert owner.sign_in(use(owner, other))["access_token"]
    eventually(lambda: owner.news()[:3] == ["passkey_added", "totp_removed", "passkey_added"])
    eventually(lambda: "passkey_removed" in owner.news())


def test_one_account_has_ten_at_most(owner: Owner) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN, synced=True)
    register(owner, authenticator)
    for _ in range(MOST_PASSKEYS - 1):
        add(owner, authenticator.create(creation(owner, use(owner, authenticator, passkey=0))))
    with pytest.raises(TooManyPasskeys) as refusal:
        creation(owner, use(owner, authenticator))
    assert refusal.value.params == {"limit": MOST_PASSKEYS}


def test_one_second_factor_is_shown_and_not_several(owner: Owner) -> None:  # noqa: F811
    authenticator = Authenticator(ORIGIN)
    register(owner, authenticator)
    both = owner.totp().model_copy(update={"passkey": use(owner, authenticator).passkey})
    with pytest.raises(BadCredentials):
        owner.sign_in(both)
