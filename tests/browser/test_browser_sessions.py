"""A page of our own origin with nothing but the session's cookie: pictures, sound and live events load by themselves, in all
tabs; a page of another site gains nothing by it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Route

from deploy.demo import evidence
from gateway.edge.security_headers import CONTENT_SECURITY_POLICY
from tests.browser.conftest import Walker
from tests.e2e.people import Case, Town
from tests.support import media_samples as samples
from tests.support.http_servers import serving
from tests.support.processes import eventually

Walk = Callable[..., Walker]
pytestmark = pytest.mark.timeout(300)

SIGN_IN = """async body => {
    const answer = await fetch('/v1/session', {method: 'POST', body: JSON.stringify(body),
        headers: {'Content-Type': 'application/json', 'X-Peygir-CSRF': '1'}})
    return [answer.status, document.cookie]
}"""
READ = "async path => { const answer = await fetch(path); return [answer.status, await answer.json()] }"
END = """async () => (await fetch('/v1/session', {method: 'DELETE', headers: {'X-Peygir-CSRF': '1'}})).status"""
ADD_PICTURE = """async address => {
    const image = document.createElement('img'); image.alt = 'x'; image.src = address
    document.body.append(image)
    return await new Promise(done => { image.onload = () => done(image.naturalWidth); image.onerror = () => done(0) })
}"""
ADD_SOUND = """async address => {
    const sound = document.createElement('audio'); sound.preload = 'metadata'; sound.src = address
    document.body.append(sound)
    return await new Promise(done => {
        sound.onloadedmetadata = () => done(sound.duration); sound.onerror = () => done(0)
    })
}"""
LISTEN = """() => {
    window.told = []; window.source = new EventSource('/v1/stream')
    for (const name of ['case.changed', 'message.arrived'])
        window.source.addEventListener(name, event => window.told.push(JSON.parse(event.data)))
    return new Promise(done => { window.source.onopen = () => done('open'); window.source.onerror = () => done('error') })
}"""


def case_with_files(town: Town, folder: Path) -> Case:
    """A report with a photo and a voice note, both accepted."""
    caller = town.caller()
    sound = caller.upload(samples.voice_note(folder, ".ogg", 3), "note.ogg", "audio/ogg")
    case = town.report(uploads=[caller.upload(evidence.photo()), sound])

    def accepted() -> bool:
        states = [attachment["state"] for attachment in case.view()["attachments"]]
        assert "rejected" not in states
        return states == ["accepted"] * 2

    eventually(accepted, timeout=90)
    return case


def addresses(case: Case) -> tuple[str, str]:
    """Of the photo and of the sound."""
    by_type = {attachment["media_type"].partition("/")[0]: attachment for attachment in case.view()["attachments"]}
    return (
        f"/v1/tracking/attachments/{by_type['image']['media_id']}?variant=preview",
        f"/v1/tracking/attachments/{by_type['audio']['media_id']}?variant=playable",
    )


APP = "/web-app"


def shown(route: Route) -> None:
    """A page of a web app at our own origin, under the policy that the gateway gives an answer which names none of its own."""
    page = "<!doctype html><html lang=fa><title>x</title><h1>x</h1></html>"
    route.fulfill(
        status=200, content_type="text/html", body=page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY}
    )


def signed_in(walker: Walker, case: Case) -> Page:
    """A page of ours whose browser has a session for the case."""
    walker.page.context.route(walker.base + APP, shown)
    walker.open(APP)
    status, readable = walker.page.evaluate(SIGN_IN, {"method": "tracking_code", "tracking_code": case.code})
    assert status == 201
    assert "peygir-session" not in readable  # no script reads it
    return walker.page


def test_pictures_sound_and_events_load_with_the_cookie_alone(walk: Walk, town: Town, tmp_path: Path) -> None:
    case = case_with_files(town, tmp_path)
    photo, sound = addresses(case)
    page = signed_in(walk(script=True), case)
    assert page.evaluate(READ, "/v1/session")[1]["kind"] == "code"
    assert page.evaluate(ADD_PICTURE, photo) > 0
    assert page.evaluate(ADD_SOUND, sound) == pytest.approx(3, abs=0.6)
    assert page.evaluate(LISTEN) == "open"
    town.officer("screener").do(str(case.view()["case_id"]), "screening")
    eventually(lambda: any(event["event"] == "case.changed" for event in page.evaluate("window.told")))


def has_ended(tab: Page) -> bool:
    return bool(tab.evaluate("window.source.readyState") != 1)


def test_several_tabs_share_it_and_end_together(walk: Walk, town: Town, tmp_path: Path) -> None:
    case = case_with_files(town, tmp_path)
    photo, _ = addresses(case)
    walker = walk(script=True, expected=(401,))
    tabs = [signed_in(walker, case)]
    for _ in range(2):
        tabs.append(walker.page.context.new_page())
        tabs[-1].goto(walker.base + APP)
    for tab in tabs:
        assert tab.evaluate(LISTEN) == "open"
        assert tab.evaluate(ADD_PICTURE, photo) > 0
    many = (
        "async () => (await Promise.all([...Array(12)].map(() => fetch('/v1/tracking')))).map(answer => answer.status)"
    )
    assert {status for tab in tabs for status in tab.evaluate(many)} == {200}

    assert tabs[1].evaluate(END) == 204
    for tab in tabs:
        assert tab.evaluate(READ, "/v1/session")[1]["kind"] == "nobody"
        eventually(partial(has_ended, tab))
    assert [cookie["name"] for cookie in walker.page.context.cookies() if "session" in cookie["name"]] == []


def test_a_form_and_a_script_of_another_site_change_nothing(chromium: Chromium, town: Town, tmp_path: Path) -> None:
    case = town.report()
    case.view()
    ours = town.system.gateway_url
    target = f"{ours}/v1/tracking/withdrawal"
    page_of_theirs = f"""<!doctype html><title>x</title><h1>x</h1>
        <form method=post action="{target}" enctype="text/plain"><input name='{{"x":"' value='"}}'></form>"""

    class Theirs(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page_of_theirs.encode())

        def log_message(self, *args: Any) -> None:
            """Not among what the test prints."""

    # A server on an address of its own is another site; a page of the internet could not even ask for one of this machine.
    with serving(Theirs, "127.0.0.5") as their_address:
        context = chromium.new_context()
        try:
            page = context.new_page()
            walker = Walker(page, ours, tmp_path, expected=(401, 403, 422))
            signed_in(walker, case)
            foreign = context.new_page()
            foreign.goto(their_address)
            sent: dict[str, Any] = foreign.evaluate(
                """async target => {
                    const refused = async options => {
                        const sent = {method: 'POST', credentials: 'include', body: '{}', ...options}
                        try { return (await fetch(target, sent)).type }
                        catch (error) { return 'refused' }
                    }
                    return {
                        forced: await refused({mode: 'no-cors'}),  // it is sent, and its answer is for our own origin alone
                        read: await refused({headers: {'X-Peygir-CSRF': '1'}}),  // the preflight allows nothing
                    }
                }""",
                target,
            )
            assert sent == {"forced": "refused", "read": "refused"}
            with foreign.expect_navigation():
                foreign.evaluate("document.forms[0].submit()")
            assert case.view()["stage"] == "registered"
            assert page.evaluate(READ, "/v1/session")[1]["kind"] == "code"  # and it is still there
        finally:
            context.close()
