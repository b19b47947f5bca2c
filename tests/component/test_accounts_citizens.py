"""One-time codes of citizens: requested, sent, verified, limited; the service as users run it."""

from __future__ import annotations

import json

import pytest

from backbone import sealing
from contracts.accounts import DeleteCitizenAccount, RefreshTokens, RequestOtp, VerifyOtp
from contracts.errors import BadCode, BadToken, InvalidField, NotAllowed, TooMany
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind
from tests.support.accounts import AccountsService, Citizen, at_once, other_code
from tests.support.processes import BrokerClient, eventually

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

    def test_the_same_person_signs_in_again_as_the_same_citizen(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        first = accounts.claims(citizen.sign_in()["access_token"])
        citizen.let_pass(60)
        second = accounts.claims(citizen.sign_in()["access_token"])
        assert first["sub"] == second["sub"]
        assert first["sid"] != second["sid"]

    def test_the_answer_is_the_same_for_registered_and_unregistered_numbers(self, citizen: Citizen) -> None:
        before = citizen.request()
        citizen.verify(citizen.read_sms())
        citizen.let_pass(60)
        after = citizen.request()
        assert len(after.pop("otp_session")) == len(before.pop("otp_session"))
        assert after == before

    def test_a_number_without_a_requested_code_is_answered_like_a_wrong_code(self, citizen: Citizen) -> None:
        with pytest.raises(BadCode):
            citizen.verify("123456")

    def test_a_code_is_read_in_persian_digits_with_spaces(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms().translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        assert citizen.verify(f"{code[:3]} {code[3:]}")["token_type"] == "Bearer"

    def test_a_number_that_is_not_an_iranian_mobile_is_refused(
        self, broker_client: BrokerClient, accounts: AccountsService
    ) -> None:
        with pytest.raises(InvalidField):
            broker_client.call("accounts", "request_otp", RequestOtp(mobile="+982833333333", address_key="somewhere"))

    def test_after_five_wrong_attempts_the_right_code_is_refused(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        for n in range(1, 6):
            citizen.fail(other_code(code, n))
        citizen.fail(code)

    def test_at_most_five_wrong_attempts_are_counted_per_session(self, citizen: Citizen) -> None:
        session = citizen.request("home")["otp_session"]
        code = citizen.read_sms()
        for n in range(1, 6):
            citizen.fail(other_code(code, n), "home", session)
        citizen.fail(code, "elsewhere", session)
        citizen.let_pass(60)
        assert citizen.request("home", session)["otp_session"] == session
        assert citizen.verify(citizen.read_sms(), "home", session)["access_token"]

    @pytest.mark.parametrize("address", ["elsewhere", "home"])
    def test_wrong_attempts_by_a_stranger_do_not_affect_the_requester(self, citizen: Citizen, address: str) -> None:
        session = citizen.request("home")["otp_session"]
        code = citizen.read_sms()
        for n in range(1, 12):
            citizen.fail(other_code(code, n), address)
            citizen.fail(other_code(code, n), address, "no session of anybody")
        citizen.fail(code, address)
        assert citizen.verify(code, "home", session)["access_token"]

    def test_a_client_without_a_session_is_identified_by_its_address(self, citizen: Citizen) -> None:
        citizen.request("home")
        code = citizen.read_sms()
        for at in range(12):
            citizen.fail(other_code(code, at + 1), f"stranger {at}")
        assert citizen.verify(code, "home")["access_token"]

    def test_all_strangers_together_have_ten_attempts_an_hour(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        citizen.request("home")
        code = citizen.read_sms()
        for at in range(10):
            citizen.fail(other_code(code, at + 1), f"stranger {at}")
        citizen.fail(code, "stranger 11")
        accounts.sql("UPDATE otp_tries SET since = since - interval '1 hour'")
        assert citizen.verify(code, "stranger 11")["access_token"], "who has the SMS may be anywhere"

    def test_a_code_requested_by_a_stranger_leaves_the_previous_code_valid(self, citizen: Citizen) -> None:
        session = citizen.request("home")["otp_session"]
        mine = citizen.read_sms()
        citizen.let_pass(61)
        citizen.request("elsewhere")
        others = citizen.read_sms()
        assert citizen.verify(mine, "home", session)["access_token"]
        citizen.fail(others, "elsewhere")  # its owner is in: no code of before is good

    def test_a_recent_request_by_somebody_else_is_not_revealed(self, citizen: Citizen) -> None:
        first = citizen.request("home")
        second = citizen.request("elsewhere")
        assert {**first, "otp_session": ""} == {**second, "otp_session": ""}
        assert citizen.codes_sent() == 1
        # Each of the two is told of its own asking alone, and both alike.
        for address, session in (("home", first["otp_session"]), ("elsewhere", second["otp_session"])):
            with pytest.raises(TooMany) as refusal:
                citizen.request(address, session)
            assert 55 <= refusal.value.params["retry_after"] <= 60
        # The session that was sent nothing gets no tries by it: they would be without end.
        code = citizen.read_sms()
        for at in range(5):
            citizen.fail(other_code(code, at + 1), "elsewhere", second["otp_session"])
        citizen.fail(code, "elsewhere", second["otp_session"])
        assert citizen.verify(code, "home", first["otp_session"])["access_token"]

    def test_a_stranger_does_not_use_up_the_hourly_codes(self, citizen: Citizen) -> None:
        for _ in range(8):
            citizen.request("elsewhere")
            citizen.let_pass(61)
        assert citizen.codes_sent() == 4
        citizen.request("home")
        assert citizen.codes_sent() == 5

    def test_the_fifth_attempt_may_still_succeed(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        for n in range(1, 5):
            with pytest.raises(BadCode):
                citizen.verify(other_code(code, n))
        assert citizen.verify(code)["access_token"]

    def test_another_code_is_sent_after_a_minute_and_invalidates_the_first(self, citizen: Citizen) -> None:
        session = citizen.request()["otp_session"]
        first = citizen.read_sms()
        with pytest.raises(TooMany) as refusal:
            citizen.request(session=session)
        assert 55 <= refusal.value.params["retry_after"] <= 60
        citizen.let_pass(60)
        citizen.request(session=session)
        second = citizen.read_sms()
        if second != first:  # one in a million: the same code again
            with pytest.raises(BadCode):
                citizen.verify(first)
        assert citizen.verify(second)["access_token"]

    def test_a_code_expires_after_five_minutes(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        citizen.let_pass(301)
        with pytest.raises(BadCode):
            citizen.verify(code)

    def test_at_most_five_codes_are_sent_an_hour(self, citizen: Citizen) -> None:
        session = None
        for _ in range(5):
            session = citizen.request(session=session)["otp_session"]
            citizen.let_pass(61)
        with pytest.raises(TooMany) as refusal:
            citizen.request(session=session)
        assert 3200 < refusal.value.params["retry_after"] <= 3600 - 5 * 61 + 1

    def test_a_code_works_once(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        citizen.verify(code)
        with pytest.raises(BadCode):
            citizen.verify(code)

    def test_one_of_many_simultaneous_verifications_succeeds(self, accounts: AccountsService, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        request = VerifyOtp(mobile=citizen.mobile, code=code, address_key="somewhere")
        outcomes = at_once(accounts, 6, lambda client: client.call("accounts", "verify_otp", request))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadCode"] * 5 + ["dict"]

    def test_one_of_many_simultaneous_requests_sends_a_code(self, accounts: AccountsService, citizen: Citizen) -> None:
        request = RequestOtp(mobile=citizen.mobile, address_key="somewhere")
        outcomes = at_once(accounts, 6, lambda client: client.call("accounts", "request_otp", request))
        assert [type(outcome).__name__ for outcome in outcomes] == ["dict"] * 6, (
            "each has its own session, told nothing"
        )
        assert citizen.codes_sent() == 1


class TestDeletedAccounts:
    def deletion(self, citizen: Citizen, subject: str, code: str) -> DeleteCitizenAccount:
        actor = Actor(kind=ActorKind.CITIZEN, id=subject)
        return DeleteCitizenAccount(actor=actor, mobile=citizen.mobile, code=code, address_key="somewhere")

    def test_an_account_is_deleted_with_a_code_and_the_next_one_is_another(
        self, accounts: AccountsService, citizen: Citizen, broker_client: BrokerClient
    ) -> None:
        tokens = citizen.sign_in()
        subject = accounts.claims(tokens["access_token"])["sub"]
        citizen.let_pass(60)
        citizen.request()
        code = citizen.read_sms()
        with pytest.raises(BadCode):
            broker_client.call("accounts", "delete_citizen_account", self.deletion(citizen, subject, other_code(code)))
        assert broker_client.recorded_events("citizen.account_deleted.v1") == []
        answer = broker_client.call("accounts", "delete_citizen_account", self.deletion(citizen, subject, code))
        assert answer == {"deleted": True}

        [event] = eventually(lambda: broker_client.recorded_events("citizen.account_deleted.v1"))
        assert event["citizen_id"] == subject
        assert citizen.mobile not in json.dumps(event)
        with pytest.raises(BadToken):
            broker_client.call("accounts", "refresh", RefreshTokens(refresh_token=tokens["refresh_token"]))
        citizen.let_pass(60)
        assert accounts.claims(citizen.sign_in()["access_token"])["sub"] != subject

    def test_nobody_deletes_anothers_account(
        self, accounts: AccountsService, citizen: Citizen, broker_client: BrokerClient
    ) -> None:
        subject = accounts.claims(citizen.sign_in()["access_token"])["sub"]
        citizen.let_pass(60)
        citizen.request()
        stranger = self.deletion(citizen, "00000000-0000-4000-8000-000000000000", citizen.read_sms())
        with pytest.raises(NotAllowed):
            broker_client.call("accounts", "delete_citizen_account", stranger)
        citizen.let_pass(60)
        assert accounts.claims(citizen.sign_in()["access_token"])["sub"] == subject
