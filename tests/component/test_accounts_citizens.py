"""One-time codes of citizens: requested, sent, verified, limited; the service as users run it."""

from __future__ import annotations

import json

import pytest

from backbone import sealing
from contracts.accounts import (
    RequestOtp,
    VerifyOtp,
)
from contracts.errors import BadCode, InvalidField, TooMany
from tests.support.accounts import (
    AccountsService,
    Citizen,
    at_once,
    other_code,
)
from tests.support.processes import BusClient

pytest_plugins = ["tests.support.accounts"]
pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]


class TestOneTimeCodes:
    def test_a_code_signs_in_and_the_token_carries_the_mobile_for_the_gateway_alone(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        sent = citizen.request()
        assert (sent["resend_after"], sent["expires_in"]) == (60, 300)
        tokens = citizen.verify(citizen.read_sms())
        claims = accounts.claims(tokens["access_token"])
        assert claims["typ"] == "citizen"
        assert claims["roles"] == []
        assert claims["exp"] - claims["iat"] == 900
        assert sealing.decrypt(claims["ctc"], bytes.fromhex(accounts.environment["CONTACT_KEY"])) == citizen.mobile
        assert citizen.mobile[3:] not in json.dumps(tokens)

    def test_the_same_person_comes_back_as_the_same_citizen(self, accounts: AccountsService, citizen: Citizen) -> None:
        first = accounts.claims(citizen.sign_in()["access_token"])
        citizen.let_pass(60)
        second = accounts.claims(citizen.sign_in()["access_token"])
        assert first["sub"] == second["sub"]
        assert first["sid"] != second["sid"]

    def test_the_answer_is_the_same_whether_the_number_is_known_or_not(self, citizen: Citizen) -> None:
        before = citizen.request()
        citizen.verify(citizen.read_sms())
        citizen.let_pass(60)
        after = citizen.request()
        assert len(after.pop("otp_session")) == len(before.pop("otp_session"))
        assert after == before

    def test_a_number_that_asked_for_no_code_is_answered_like_a_wrong_code(self, citizen: Citizen) -> None:
        with pytest.raises(BadCode):
            citizen.verify("123456")

    def test_a_code_is_read_in_persian_digits_with_spaces(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms().translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        assert citizen.verify(f"{code[:3]} {code[3:]}")["token_type"] == "Bearer"

    def test_what_is_no_iranian_mobile_is_refused(self, wire: BusClient, accounts: AccountsService) -> None:
        with pytest.raises(InvalidField):
            wire.ask("accounts", "request_otp", RequestOtp(mobile="+982833333333"))

    def test_five_wrong_tries_and_even_the_right_code_is_too_late(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        for n in range(1, 6):
            citizen.fail(other_code(code, n))
        citizen.fail(code)

    def test_of_a_session_five_wrong_tries_are_counted_and_no_more(self, citizen: Citizen) -> None:
        session = citizen.request("home")["otp_session"]
        code = citizen.read_sms()
        for n in range(1, 6):
            citizen.fail(other_code(code, n), "home", session)
        citizen.fail(code, "elsewhere", session)
        citizen.let_pass(60)
        assert citizen.request("home", session)["otp_session"] == session
        assert citizen.verify(citizen.read_sms(), "home", session)["access_token"]

    @pytest.mark.parametrize("asker", ["elsewhere", "home"])
    def test_a_strangers_wrong_tries_do_not_harm_who_asked(self, citizen: Citizen, asker: str) -> None:
        session = citizen.request("home")["otp_session"]
        code = citizen.read_sms()
        for n in range(1, 12):
            citizen.fail(other_code(code, n), asker)
            citizen.fail(other_code(code, n), asker, "no session of anybody")
        citizen.fail(code, asker)
        assert citizen.verify(code, "home", session)["access_token"]

    def test_a_client_without_the_session_is_known_by_its_address(self, citizen: Citizen) -> None:
        citizen.request("home")
        code = citizen.read_sms()
        for at in range(12):
            citizen.fail(other_code(code, at + 1), f"stranger {at}")
        assert citizen.verify(code, "home")["access_token"]

    def test_all_strangers_together_have_ten_tries_an_hour(self, accounts: AccountsService, citizen: Citizen) -> None:
        citizen.request("home")
        code = citizen.read_sms()
        for at in range(10):
            citizen.fail(other_code(code, at + 1), f"stranger {at}")
        citizen.fail(code, "stranger 11")
        accounts.sql("UPDATE otp_tries SET since = since - interval '1 hour'")
        assert citizen.verify(code, "stranger 11")["access_token"], "who has the SMS may be anywhere"

    def test_a_code_that_a_stranger_asks_for_leaves_the_one_before_good(self, citizen: Citizen) -> None:
        session = citizen.request("home")["otp_session"]
        mine = citizen.read_sms()
        citizen.let_pass(61)
        citizen.request("elsewhere")
        others = citizen.read_sms()
        assert citizen.verify(mine, "home", session)["access_token"]
        citizen.fail(others, "elsewhere")  # its owner is in: no code of before is good

    def test_nobody_is_told_that_somebody_asked_just_now(self, citizen: Citizen) -> None:
        first = citizen.request("home")
        second = citizen.request("elsewhere")
        assert {**first, "otp_session": ""} == {**second, "otp_session": ""}
        assert citizen.codes_sent() == 1
        # Each of the two is told of its own asking alone, and both alike.
        for asker, session in (("home", first["otp_session"]), ("elsewhere", second["otp_session"])):
            with pytest.raises(TooMany) as refusal:
                citizen.request(asker, session)
            assert 55 <= refusal.value.params["retry_after"] <= 60
        # The session that was sent nothing gets no tries by it: they would be without end.
        code = citizen.read_sms()
        for at in range(5):
            citizen.fail(other_code(code, at + 1), "elsewhere", second["otp_session"])
        citizen.fail(code, "elsewhere", second["otp_session"])
        assert citizen.verify(code, "home", first["otp_session"])["access_token"]

    def test_a_stranger_does_not_use_up_the_codes_of_an_hour(self, citizen: Citizen) -> None:
        for _ in range(8):
            citizen.request("elsewhere")
            citizen.let_pass(61)
        assert citizen.codes_sent() == 4
        citizen.request("home")
        assert citizen.codes_sent() == 5

    def test_the_fifth_try_may_still_be_right(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        for n in range(1, 5):
            with pytest.raises(BadCode):
                citizen.verify(other_code(code, n))
        assert citizen.verify(code)["access_token"]

    def test_another_code_is_sent_after_a_minute_and_makes_the_first_void(self, citizen: Citizen) -> None:
        citizen.request()
        first = citizen.read_sms()
        with pytest.raises(TooMany) as refusal:
            citizen.request()
        assert 55 <= refusal.value.params["retry_after"] <= 60
        citizen.let_pass(60)
        citizen.request()
        second = citizen.read_sms()
        if second != first:  # one in a million: the same code again
            with pytest.raises(BadCode):
                citizen.verify(first)
        assert citizen.verify(second)["access_token"]

    def test_a_code_is_void_after_five_minutes(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        citizen.let_pass(301)
        with pytest.raises(BadCode):
            citizen.verify(code)

    def test_five_codes_an_hour_and_no_more(self, citizen: Citizen) -> None:
        for _ in range(5):
            citizen.request()
            citizen.let_pass(61)
        with pytest.raises(TooMany) as refusal:
            citizen.request()
        assert 3200 < refusal.value.params["retry_after"] <= 3600 - 5 * 61 + 1

    def test_a_code_works_once(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        citizen.verify(code)
        with pytest.raises(BadCode):
            citizen.verify(code)

    def test_of_many_verifications_at_the_same_moment_one_succeeds(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        citizen.request()
        code = citizen.read_sms()
        outcomes = at_once(
            accounts, 6, lambda wire: wire.ask("accounts", "verify_otp", VerifyOtp(mobile=citizen.mobile, code=code))
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadCode"] * 5 + ["dict"]

    def test_of_many_requests_at_the_same_moment_one_sends_a_code(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        outcomes = at_once(
            accounts, 6, lambda wire: wire.ask("accounts", "request_otp", RequestOtp(mobile=citizen.mobile))
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["TooMany"] * 5 + ["dict"]
