"""A browser's session: one cookie for everything that a browser loads, in any number of tabs, at any gateway, until it ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from deploy.demo import evidence
from gateway.edge.challenges import solve
from tests.e2e.hostile_parts import another_gateway, called
from tests.e2e.live_parts import COOKIE, Browser, Stream, citizen_browser, new_account, staff_browser
from tests.e2e.people import UNIT, Case, Town, good
from tests.e2e.test_configuration import send
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def other_gateway(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with another_gateway(town.system, tmp_path_factory.mktemp("other")) as (_, url):
        yield url


def status(browser: Browser, url: str | None = None) -> int:
    return browser.get("/v1/me", url).status_code


def has_roles(browser: Browser, url: str, roles: list[str]) -> bool:
    return bool(good(browser.get("/v1/me", url))["roles"] == roles)


def is_signed_out(browser: Browser, url: str) -> bool:
    return status(browser, url) == 401


def accepted_attachment(case: Case) -> str:
    """The id of its one file, once it was checked."""

    def accepted() -> str:
        files = case.view()["attachments"]
        return str(files[0]["media_id"]) if files and files[0]["state"] == "accepted" else ""

    return eventually(accepted, timeout=90)


class TestCitizen:
    def test_the_cookie_is_all_a_browser_needs(self, town: Town) -> None:
        browser = citizen_browser(town)
        body = {
            "kind": "complaint",
            "unit": UNIT,
            "ground": "delay",
            "text": "پرونده من سه ماه مانده است.",
            "consent": True,
        }
        upload = town.caller().upload(evidence.photo())
        filed = good(browser.post("/v1/submissions", {**body, "identity": {"name": "شاکی"}, "uploads": [upload]}), 201)
        code = filed["tracking_code"].replace(" ", "")
        town.codes.add(code)
        case = Case(code, town.caller(code=code), filed["submission_id"], filed)
        case_id, media_id = case.view()["case_id"], accepted_attachment(case)

        assert [item["case_id"] for item in good(browser.get("/v1/me/cases"))["items"]] == [case_id]
        picture = httpx.get(
            f"{browser.url}/v1/me/cases/{case_id}/attachments/{media_id}", headers=browser.headers, trust_env=False
        )
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
        stream = Stream(browser.url, browser.headers)
        town.officer("screener").do(case_id, "screening")
        assert stream.awaits("case.changed", case_id)["by"] == {"kind": "office"}

    def test_all_tabs_share_it_and_end_together(self, town: Town, other_gateway: str) -> None:
        browser, stays = citizen_browser(town), citizen_browser(town)
        urls = [browser.url, other_gateway]
        with ThreadPoolExecutor(8) as tabs:  # the other gateway asks for the session while all wait for it
            assert set(tabs.map(lambda at: status(browser, urls[at % 2]), range(48))) == {200}
        streams = [Stream(url, browser.headers) for url in (*urls, other_gateway)]

        ended = browser.request("DELETE", "/v1/session")
        assert ended.status_code == 204
        assert f"{COOKIE}=" in ended.headers["set-cookie"]
        assert "Max-Age=0" in ended.headers["set-cookie"]
        assert status(browser) == 401  # at once
        eventually(lambda: status(browser, other_gateway) == 401)
        assert all(stream.ended.wait(20) for stream in streams)
        view = good(browser.get("/v1/session"))
        assert (view["kind"], view["ended"]) == ("nobody", True)
        assert [status(stays, url) for url in urls] == [200, 200]

    def test_it_survives_the_gateway_that_opened_it(self, town: Town, tmp_path_factory: pytest.TempPathFactory) -> None:
        browser = citizen_browser(town)
        for name in ("first", "second"):  # each starts knowing nothing
            with another_gateway(town.system, tmp_path_factory.mktemp(name)) as (process, url):
                assert good(browser.get("/v1/session", url))["kind"] == "citizen"
                with ThreadPoolExecutor(8) as tabs:
                    assert set(tabs.map(lambda _, at=url: status(browser, at), range(40))) == {200}
                assert called(process, "peygir_rpc_calls_total", method="resume_browser_session") == 1

    def test_a_browser_that_signs_in_again_leaves_no_session_behind(self, town: Town) -> None:
        browser = citizen_browser(town)
        case = town.report()
        before = Browser(browser.url)
        before.cookie = browser.cookie
        browser.open({"method": "tracking_code", "tracking_code": case.dashed})
        assert status(before) == 401


class TestStaff:
    def test_reading_commands_files_and_papers_by_the_cookie_alone(self, town: Town) -> None:
        screener, _ = staff_browser(town, "screener")
        case = town.report(uploads=[town.caller().upload(evidence.photo())])
        case_id, media_id = case.view()["case_id"], accepted_attachment(case)
        read = screener.get(f"/v1/cases/{case_id}")
        done = good(screener.post(f"/v1/cases/{case_id}/screening", {}, version=good(read)["version"]))
        assert done["stage"] == "screening"
        photo = screener.get(f"/v1/cases/{case_id}/attachments/{media_id}")
        assert (photo.status_code, photo.headers["content-type"]) == (200, "image/jpeg")
        assert screener.get(f"/v1/cases/{case_id}/letter").json()["code"] == "no_letter"
        export = good(screener.post("/v1/exports", {"format": "csv"}), 202)
        path = f"/v1/exports/{export['export_id']}"
        eventually(lambda: good(screener.get(path))["state"] == "done", timeout=90)
        file = screener.get(f"{path}/file")
        assert file.status_code == 200
        assert file.headers["content-type"].startswith("text/csv")

    def test_who_is_moved_goes_on_as_who_they_are_now_and_who_is_closed_does_not(
        self, town: Town, other_gateway: str
    ) -> None:
        browser, account = staff_browser(town, "screener")
        urls = (browser.url, other_gateway)
        assert [status(browser, url) for url in urls] == [200, 200]
        administrator = town.officer("administrator").caller
        path = f"/v1/staff/{account['staff_id']}"
        member = {name: account["body"][name] for name in ("display_name", "roles", "unit")}
        moved = {**member, "roles": ["screener", "analyst"], "active": True}
        good(send(administrator, "PUT", path, moved, version=1))
        for url in urls:
            eventually(partial(has_roles, browser, url, ["analyst", "screener"]))
        stream = Stream(other_gateway, browser.headers)
        good(send(administrator, "PUT", path, {**member, "active": False}, version=2))
        for url in urls:
            eventually(partial(is_signed_out, browser, url))
        assert stream.ended.wait(20)

    def test_new_credentials_end_it(self, town: Town) -> None:
        browser, account = staff_browser(town, "screener")
        administrator = town.officer("administrator").caller
        good(administrator.post(f"/v1/staff/{account['staff_id']}/credentials", {}))
        eventually(lambda: status(browser) == 401)


class TestHolderOfACode:
    def test_the_case_of_the_code_and_nothing_else(self, town: Town) -> None:
        case, other = town.report(uploads=[town.caller().upload(evidence.photo())]), town.report()
        case_id, media_id = case.view()["case_id"], accepted_attachment(case)
        browser = Browser(town.system.gateway_url)
        view = browser.open({"method": "tracking_code", "tracking_code": case.dashed})
        assert (view["kind"], view["id"], view["name"]) == ("code", None, None)
        assert case.code not in browser.cookie

        assert good(browser.get("/v1/tracking"))["case_id"] == case_id
        assert good(browser.get("/v1/tracking/messages"))["items"] is not None
        picture = browser.get(f"/v1/tracking/attachments/{media_id}")
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
        stream = Stream(browser.url, browser.headers)
        town.officer("screener").do(case_id, "screening")
        stream.awaits("case.changed", case_id)
        assert good(browser.post("/v1/tracking/withdrawal", {}))["stage"] == "withdrawn"

        assert browser.get("/v1/me/cases").status_code == 401
        assert browser.get(f"/v1/cases/{case_id}").status_code == 401
        # A code in the header goes before the cookie.
        by_header = browser.request("GET", "/v1/tracking", headers={"Tracking-Code": other.code})
        assert good(by_header)["case_id"] == other.view()["case_id"]
        browser.request("DELETE", "/v1/session")
        assert browser.get("/v1/tracking").status_code == 401
        assert stream.ended.wait(20)

    def test_a_wrong_code_opens_nothing_and_counts_as_a_wrong_code(
        self, town: Town, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        settings = {"LIMIT_BAD_CODES": "2/hour", "CHALLENGE_BITS": "8", "BAD_CODE_DELAY": "0"}
        with another_gateway(town.system, tmp_path_factory.mktemp("guessed"), **settings) as (_, url):
            browser = Browser(url)
            wrong = {"method": "tracking_code", "tracking_code": "1234 5678 1234 5670"}
            tried = [browser.request("POST", "/v1/session", json=wrong) for _ in range(3)]
            assert [answer.status_code for answer in tried] == [404, 404, 429]
            assert tried[2].json()["params"]["challenge"]["bits"] >= 8


REQUESTS = {
    "no header": ({"Sec-Fetch-Site": "same-origin"}, "header"),
    "a page of another site": ({"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "cross-site"}, "origin"),
    "a page of another site, older browser": ({"X-Peygir-CSRF": "1", "Origin": "https://evil.example"}, "origin"),
    "null origin": ({"X-Peygir-CSRF": "1", "Origin": "null"}, "origin"),
    "a form": ({"Sec-Fetch-Site": "cross-site", "Content-Type": "application/x-www-form-urlencoded"}, "header"),
}


class TestOtherSites:
    @pytest.mark.parametrize("name", REQUESTS)
    def test_they_change_nothing_with_the_cookie(self, town: Town, name: str) -> None:
        headers, why = REQUESTS[name]
        case = town.report()
        case.view()
        browser = Browser(town.system.gateway_url)
        browser.open({"method": "tracking_code", "tracking_code": case.code})
        for language in ("fa", "en"):
            answer = httpx.post(
                f"{browser.url}/v1/tracking/withdrawal",
                headers={**browser.headers, **headers, "Accept-Language": language},
                content=b"{}",
                trust_env=False,
            )
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf_refused"), answer.text
            assert answer.json()["params"] == {"why": why}
            assert answer.headers["content-language"] == language
        assert case.view()["stage"] == "registered"

    def test_they_sign_nobody_in_or_out(self, town: Town) -> None:
        browser, case = citizen_browser(town), town.report()
        own = {"method": "tracking_code", "tracking_code": case.code}
        foreign = {"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "cross-site"}
        for method, body in (("POST", own), ("DELETE", None)):
            answer = httpx.request(
                method,
                f"{browser.url}/v1/session",
                headers={**browser.headers, **foreign},
                json=body,
                trust_env=False,
            )
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf_refused")
            assert "set-cookie" not in answer.headers
        assert status(browser) == 200

    def test_no_foreign_origin_is_allowed_credentials(
        self, town: Town, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        browser, app = citizen_browser(town), "https://app.example"
        folder = tmp_path_factory.mktemp("cors")
        with another_gateway(town.system, folder, CORS_ORIGINS=app) as (_, url):
            for origin in (app, "https://evil.example", "null"):
                headers = {**browser.headers, "Origin": origin}
                answers = [
                    httpx.get(f"{url}/v1/session", headers=headers, trust_env=False),
                    httpx.options(
                        f"{url}/v1/session",
                        headers={
                            "Origin": origin,
                            "Access-Control-Request-Method": "POST",
                            "Access-Control-Request-Headers": "x-peygir-csrf",
                        },
                        trust_env=False,
                    ),
                ]
                for answer in answers:
                    assert "access-control-allow-credentials" not in answer.headers
                    assert "x-peygir-csrf" not in answer.headers.get("access-control-allow-headers", "")


class TestLimits:
    """Many people behind one address."""

    def test_renewing_spends_nothing_of_signing_in(self, town: Town, tmp_path_factory: pytest.TempPathFactory) -> None:
        browsers = [citizen_browser(town) for _ in range(3)]
        account = new_account(town, "screener")
        sign_in = {name: value for name, value in account["sign_in"].items() if name != "method"}
        tokens = good(town.caller().post("/v1/auth/staff/tokens", sign_in))
        with another_gateway(town.system, tmp_path_factory.mktemp("office"), LIMIT_SIGN_IN="1/hour") as (_, url):
            for _ in range(20):  # more than the budget of signing in has by far
                answer = httpx.post(
                    f"{url}/v1/auth/refresh",
                    json={"refresh_token": tokens["refresh_token"]},
                    trust_env=False,
                    timeout=30,
                )
                tokens = good(answer)
            for browser in browsers:  # each is renewed by this gateway
                assert status(browser, url) == 200
            # Guesses stay limited.
            guess = {"method": "password", "username": "nobody", "password": "x", "totp": "123456"}
            tried = [Browser(url).request("POST", "/v1/session", json=guess).status_code for _ in range(2)]
            assert tried == [401, 429]

    def test_streams_are_counted_by_who_has_them_and_a_crowd_works_for_more(
        self, town: Town, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        browsers, cases = [citizen_browser(town) for _ in range(3)], [town.report() for _ in range(2)]
        settings = {"LIMIT_STREAMS_BY_ADDRESS": "1", "LIMIT_STREAMS": "2", "CHALLENGE_BITS": "8"}
        with another_gateway(town.system, tmp_path_factory.mktemp("carrier"), **settings) as (_, url):
            streams = [Stream(url, browser.headers) for browser in browsers for _ in range(2)]
            one_more = httpx.get(f"{url}/v1/stream", headers=browsers[0].headers, trust_env=False)
            assert one_more.status_code == 429  # of their own
            streams.append(Stream(url, {"Tracking-Code": cases[0].code}))
            refused = httpx.get(f"{url}/v1/stream", headers={"Tracking-Code": cases[1].code}, trust_env=False)
            assert refused.status_code == 429
            challenge = refused.json()["params"]["challenge"]
            worked = {"Challenge-Answer": solve(challenge["token"], challenge["bits"])}
            streams.append(Stream(url, {"Tracking-Code": cases[1].code, **worked}))
            assert not any(stream.ended.is_set() for stream in streams)

    def test_one_time_codes_beyond_an_addresss_budget_take_work_and_are_not_refused(
        self, town: Town, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        settings = {"LIMIT_ONE_TIME_CODES": "1/hour", "CHALLENGE_BITS": "8"}
        with another_gateway(town.system, tmp_path_factory.mktemp("nat"), **settings) as (_, url):
            phones = [town.phone() for _ in range(3)]

            def ask(mobile: str, **headers: str) -> httpx.Response:
                return httpx.post(
                    f"{url}/v1/auth/codes", json={"mobile": mobile}, headers=headers, trust_env=False, timeout=30
                )

            assert ask(phones[0].mobile).status_code == 200
            for phone in phones[1:]:
                challenge = ask(phone.mobile).json()["params"]["challenge"]
                answer = solve(challenge["token"], challenge["bits"])
                assert ask(phone.mobile, **{"Challenge-Answer": answer}).status_code == 200
                assert phone.next()


def test_an_app_goes_on_with_its_tokens_as_before(town: Town) -> None:
    phone = town.phone()
    citizen, _ = town.sign_in(phone)
    assert good(citizen.get("/v1/session"))["by"] == "token"
    answer = citizen.request("POST", "/v1/submissions", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.json()["code"] == "invalid_field"  # and not refused for where it comes from
