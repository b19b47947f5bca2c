"""The rules of signing in, without anything around them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.citizens import rules as code_rules
from services.accounts.citizens.rules import SendingLimits, StoredCode, Verdict
from services.accounts.seed import credentials_of
from services.accounts.sessions.rules import Use, use_of
from services.accounts.staff import credentials, rules

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LIMITS = SendingLimits(resend=60, per_hour=5, per_day=15)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


GOOD = StoredCode("a" * 64, ago(-300), False)


class TestSendingLimits:
    def test_the_first_code_is_sent_at_once(self) -> None:
        assert code_rules.wait_for_code([], NOW, LIMITS) == 0

    def test_the_next_code_is_sent_after_a_minute(self) -> None:
        assert code_rules.wait_for_code([ago(1)], NOW, LIMITS) == 59
        assert code_rules.wait_for_code([ago(59.5)], NOW, LIMITS) == 1
        assert code_rules.wait_for_code([ago(60)], NOW, LIMITS) == 0

    def test_at_most_five_an_hour(self) -> None:
        sent = [ago(3000), ago(2000), ago(1500), ago(1000), ago(500)]
        assert code_rules.wait_for_code(sent, NOW, LIMITS) == 600
        assert code_rules.wait_for_code(sent, NOW + timedelta(seconds=600), LIMITS) == 0

    def test_at_most_fifteen_a_day(self) -> None:
        sent = [ago(80_000 - 5_000 * n) for n in range(15)]
        assert code_rules.wait_for_code(sent, NOW, LIMITS) == 6_400

    @given(st.lists(st.integers(0, 200_000), max_size=30))
    def test_after_the_wait_it_may_be_sent(self, ages: list[int]) -> None:
        sent = [ago(age) for age in ages]
        wait = code_rules.wait_for_code(sent, NOW, LIMITS)
        assert code_rules.wait_for_code(sent, NOW + timedelta(seconds=wait), LIMITS) == 0


class TestCode:
    def test_it_is_six_digits_from_the_whole_range(self) -> None:
        codes = {code_rules.fresh_code() for _ in range(2000)}
        assert all(len(code) == 6 and code.isdigit() for code in codes)
        assert len(codes) > 1900
        assert {code[0] for code in codes} == set("0123456789")

    @pytest.mark.parametrize(
        ("stored", "entered", "may_try", "verdict"),
        [
            ([GOOD], "a" * 64, True, Verdict.RIGHT),
            ([GOOD], "b" * 64, True, Verdict.WRONG),
            ([GOOD], "a" * 64, False, Verdict.TRIED_TOO_OFTEN),
            ([StoredCode("a" * 64, ago(0), False)], "a" * 64, True, Verdict.VOID),
            ([StoredCode("a" * 64, ago(-300), True)], "a" * 64, True, Verdict.VOID),
            ([], "0" * 64, True, Verdict.VOID),
            ([], "0" * 64, False, Verdict.TRIED_TOO_OFTEN),
            # Of several that were sent, requested by different people, each is good; not for ever.
            ([StoredCode("b" * 64, ago(-300), False), GOOD], "a" * 64, True, Verdict.RIGHT),
            ([StoredCode("b" * 64, ago(-300), False)] * 3 + [GOOD], "a" * 64, True, Verdict.WRONG),
            (
                [StoredCode("a" * 64, ago(-300), True), StoredCode("b" * 64, ago(-300), False)],
                "a" * 64,
                True,
                Verdict.WRONG,
            ),
        ],
    )
    def test_a_code_is_worth_what_its_attempts_and_age_allow(
        self, stored: list[StoredCode], entered: str, may_try: bool, verdict: Verdict
    ) -> None:
        assert code_rules.judge(stored, entered, NOW, may_try=may_try) is verdict

    def test_one_requester_never_uses_up_the_codes_of_a_mobile(self) -> None:
        limits = code_rules.limits_of_one_requester(LIMITS)
        assert (limits.resend, limits.per_hour, limits.per_day) == (0, 4, 12)
        assert code_rules.limits_of_one_requester(SendingLimits(60, 1, 1)) == SendingLimits(0, 1, 1)


class TestStaff:
    def test_an_account_guessed_at_from_many_addresses_is_slowed_and_never_locked(self) -> None:
        seconds = [rules.pause_after(failures).total_seconds() for failures in (0, 49, 50, 74, 75, 100, 150, 10_000)]
        assert seconds == [0, 0, 2, 2, 4, 8, 30, 30]

    def test_the_block_after_failures_doubles_up_to_a_quarter_of_an_hour(self) -> None:
        seconds = [rules.block_after(failures).total_seconds() for failures in (0, 4, 5, 6, 7, 11, 10_000)]
        assert seconds == [0, 0, 15, 30, 60, 900, 900]

    def test_a_user_name_is_the_same_in_any_notation(self) -> None:
        assert rules.username_form("  Head ") == rules.username_form("ｈｅａｄ") == "head"

    def test_a_password_matches_only_its_own_hash(self) -> None:
        stored = credentials.hash_password("گذرواژهٔ ۱۲۳")
        assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
        assert credentials.password_fits(stored, "گذرواژهٔ ۱۲۳")
        assert not credentials.password_fits(stored, "گذرواژهٔ ۱۲۴")
        assert not credentials.password_fits("not a hash", "گذرواژهٔ ۱۲۳")

    @pytest.mark.parametrize(("drift", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
    def test_a_totp_may_be_one_step_off(self, drift: int, accepted: bool) -> None:
        code = pyotp.TOTP(SECRET).at(NOW + timedelta(seconds=drift))
        expected = (int(NOW.timestamp()) + drift) // 30 if accepted else None
        assert credentials.totp_step(SECRET, code, NOW) == expected

    def test_a_totp_is_read_in_persian_digits(self) -> None:
        code = pyotp.TOTP(SECRET).at(NOW)
        persian = code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        assert credentials.totp_step(SECRET, f"{persian[:3]} {persian[3:]}", NOW) is not None
        for nonsense in ("", "abcdef", "1" * 20, "٪"):
            assert credentials.totp_step(SECRET, nonsense, NOW) is None


class TestRefreshToken:
    @pytest.mark.parametrize(
        ("used_at", "successor_used", "use"),
        [
            (None, False, Use.FIRST),
            (ago(3), False, Use.AGAIN),
            (ago(3), True, Use.STOLEN),
            (ago(11), False, Use.STOLEN),
        ],
    )
    def test_a_reused_refresh_token_is_judged_by_its_age_and_successor(
        self, used_at: datetime | None, successor_used: bool, use: Use
    ) -> None:
        assert use_of(used_at, successor_used, NOW, grace=10) is use


class TestDemoCredentials:
    def test_they_are_the_same_at_each_run_and_differ_by_name_and_key(self) -> None:
        head = credentials_of("head", b"k" * 32, None, None)
        assert head == credentials_of("head", b"k" * 32, None, None)
        others = [credentials_of("screener", b"k" * 32, None, None), credentials_of("head", b"x" * 32, None, None)]
        assert len({head.password, *(other.password for other in others)}) == 3
        assert len({head.totp_secret, *(other.totp_secret for other in others)}) == 3

    def test_given_values_win(self) -> None:
        assert credentials_of("head", b"k" * 32, "given", SECRET).password == "given"
        assert credentials_of("head", b"k" * 32, "given", SECRET).totp_secret == SECRET
