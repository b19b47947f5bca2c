"""The scenario: a report and a complaint are filed; the decision arrives by SMS, in the inbox and by the code."""

import re
import time
from collections.abc import Callable
from datetime import date, timedelta

import httpx

from deploy.demo import evidence
from deploy.demo.api_client import Answer, ApiClient, Staff, sign_in_staff, unused_mobile
from deploy.demo.console import Console
from deploy.demo.phones import Phone

UNIT = "dep.urb.permits"
REPORT = {
    "kind": "information",
    "unit": "dep.civ.roads",
    "ground": "waste",
    "text": "آسفالت نو این خیابان تنها یک هفته پیش ریخته شد و امروز برای لوله‌کشی دوباره کنده شده است.",
    "place": {"address": "قزوین، خیابان فلسطین، نرسیده به چهارراه"},
    "consent": True,
    "language": "fa",
}
COMPLAINT = {
    "kind": "complaint",
    "unit": UNIT,
    "ground": "delay",
    "answers": {"file_number": "1405-2210"},
    "text": "پرونده پایان‌کار ساختمان من سه ماه است که در این اداره مانده و هر بار می‌گویند هفته دیگر بیایید.",
    "consent": True,
    "language": "fa",
    "identity": {"name": "شاکی نمونه"},
}
QUESTION = "نخستین بار چه روزی به اداره مراجعه کردید؟"
ANSWER = "دوم شهریور؛ رسید آن روز در عکس پیوست هست."
TO_UNIT = "چرا این پرونده از دوم شهریور بی‌اقدام مانده است؟ پاسخ را با مدرک بنویسید."
UNIT_ANSWER = "پرونده میان دو کارشناس جابه‌جا و فراموش شده بود. از امروز در دست اقدام است."
REASONS = "پرونده هشتاد روز بی‌اقدام مانده و توجیهی نداشته است. اداره موظف شد تا یک هفته پاسخ بدهد."


class Scenario:
    """`staff`: the accounts of the seed."""

    def __init__(
        self, gateway: httpx.Client, simulator: httpx.Client, staff: dict[str, Staff], console: Console
    ) -> None:
        self.console, self.staff = console, staff
        self.client = ApiClient(gateway, console)
        self.phone = Phone(simulator, unused_mobile())

    def play(self) -> None:
        """All steps; DemoFailed names the one that failed."""
        self.console.chapter("A citizen reports wrongdoing, without a name")
        photo, voice = self._upload_evidence()
        report_code = self._file_report(photo, voice)
        self._photo_has_no_gps(report_code, photo)
        self.console.chapter("Another citizen complains, with name and mobile")
        complaint_code = self._complain()
        self._track(complaint_code)
        self.console.chapter("The inspection office works on the complaint")
        case_id = self._screen_and_assign(complaint_code)
        self._ask_and_answer(case_id, complaint_code)
        self._ask_unit(case_id)
        self._decide(case_id, complaint_code)
        self.console.chapter("The citizen hears of it, with any phone")
        self._by_sms(complaint_code)
        self._look_back(complaint_code, case_id)

    # --- a report ---

    def _upload_evidence(self) -> tuple[str, str]:
        console = self.console
        console.step("A photo goes up by tus, in chunks; its EXIF says where it was taken")
        photo = evidence.photo()
        console.show(photo=f"{len(photo)} bytes, GPS in its EXIF: {'yes' if evidence.has_gps(photo) else 'no'}")
        photo_id = self.client.upload("street.jpg", "image/jpeg", photo)
        console.step("A voice note goes up the same way")
        voice_id = self.client.upload("note.wav", "audio/wav", evidence.voice_note())
        return photo_id, voice_id

    def _file_report(self, photo: str, voice: str) -> str:
        console = self.console
        console.step("The anonymous report is filed; the code comes at once")
        filed = self.client.post("/v1/submissions", {**REPORT, "uploads": [photo, voice]})
        code = str(filed["tracking_code"])
        console.answer(f"201  {filed['stage_text']}")
        console.show(tracking_code=code, receipt=filed["receipt"]["payload"], next="\n".join(filed["next_steps"]))
        return code

    def _photo_has_no_gps(self, code: str, photo: str) -> None:
        console = self.console
        console.step("The code shows the case and its evidence, once media has looked at it")
        holder = self.client.as_(code=code)
        case = self._until(
            lambda: holder.get("/v1/tracking"),
            lambda case: (
                bool(case.get("attachments"))
                and all(attachment["state"] in ("accepted", "rejected") for attachment in case["attachments"])
            ),
            "the evidence was not examined in time",
            seconds=60,
        )
        console.answer(f"200  {case['stage_text']}")
        for attachment in case["attachments"]:
            variants = ", ".join(attachment["variants"])
            console.show(attachment=f"{attachment['media_type']}, {attachment['state']}: {variants}")
        if any(attachment["state"] != "accepted" for attachment in case["attachments"]):
            raise console.failed("an attachment was rejected")
        console.step("The photo is downloaded with the code; where it was taken is gone from it")
        downloaded = holder.download(f"/v1/tracking/attachments/{photo}")
        if downloaded.status_code != 200 or not downloaded.content.startswith(b"\xff\xd8"):
            raise console.failed(f"the photo could not be downloaded ({downloaded.status_code})")
        gps = evidence.has_gps(downloaded.content)
        console.answer(f"200  {downloaded.headers['content-type']}")
        console.show(photo=f"{len(downloaded.content)} bytes, GPS in its EXIF: {'yes' if gps else 'no'}")
        if gps:
            raise console.failed("the downloaded photo still says where it was taken")

    # --- a complaint ---

    def _complain(self) -> str:
        console = self.console
        console.step("A one-time code is asked for; it comes by SMS")
        sent = self.client.post("/v1/auth/codes", {"mobile": self.phone.mobile})
        console.answer(f"200  valid for {sent['expires_in']} s")
        text = self.phone.next()
        console.sms(text)
        one_time_code = re.search(r"\d{4,8}", text)
        if one_time_code is None:
            raise console.failed("the SMS has no one-time code")
        console.step("The citizen signs in with it")
        tokens = self.client.post("/v1/auth/tokens", {"mobile": self.phone.mobile, "code": one_time_code.group()})
        console.answer(f"200  a session of {tokens['expires_in'] // 60} minutes")
        console.step("The complaint is filed")
        filed = self.client.as_(token=tokens["access_token"]).post("/v1/submissions", dict(COMPLAINT))
        code = str(filed["tracking_code"])
        console.answer(f"201  {filed['stage_text']}")
        console.show(tracking_code=code, next="\n".join(filed["next_steps"]))
        console.step("The code comes by SMS, too, with the day a result is owed")
        text = self.phone.next(wait=90)
        console.sms(text)
        if code.replace(" ", "-") not in text:
            raise console.failed("the SMS does not carry the code")
        return code

    def _track(self, code: str) -> None:
        self.console.step("Where is my case? By the code alone")
        case = self._registered(code)
        self.console.answer(f"200  {case['stage_text']}")
        self.console.show(unit=case["unit_name"], ground=case["ground_name"], result_by=case["expected_text"])

    def _registered(self, code: str) -> Answer:
        holder = self.client.as_(code=code)
        return self._until(
            lambda: holder.get("/v1/tracking"),
            lambda case: case["stage"] != "registering",
            "the case was not registered",
        )

    # --- the office ---

    def _sign_in(self, username: str, title: str) -> ApiClient:
        self.console.step(title)
        if username not in self.staff:
            raise self.console.failed(f"the credentials hold no account {username}")
        return sign_in_staff(self.client, self.staff[username])

    def _screen_and_assign(self, code: str) -> str:
        console = self.console
        screener = self._sign_in("screener", "The screener signs in with password and TOTP")
        console.answer("200")
        case_id = str(self._registered(code)["case_id"])
        console.step("The screener finds the case and begins the first reading")
        listed = screener.get("/v1/cases", stage="registered", limit="5")
        console.answer(f"200  {len(listed['items'])} of the newest unread cases")
        case = screener.get(f"/v1/cases/{case_id}")
        case = screener.post(f"/v1/cases/{case_id}/screening", {}, case["version"])
        console.answer(f"200  {case['number']}: {case['stage']}, version {case['version']}")
        console.step("The case is assigned to an inspector")
        inspectors = screener.get("/v1/staff", role="inspector")["items"]
        inspector = min(inspectors, key=lambda account: str(account["display_name"] != "بازرس یک"))
        case = screener.post(f"/v1/cases/{case_id}/assignment", {"inspector": inspector["staff_id"]}, case["version"])
        console.answer(f"200  {case['stage']}")
        console.show(inspector=inspector["display_name"], result_by=case["expected_on"])
        return case_id

    def _ask_and_answer(self, case_id: str, code: str) -> None:
        console = self.console
        self.inspector = self._sign_in("inspector", "The inspector signs in and asks the citizen a question")
        case = self.inspector.get(f"/v1/cases/{case_id}")
        case = self.inspector.post(f"/v1/cases/{case_id}/citizen-questions", {"text": QUESTION}, case["version"])
        console.answer(f"200  {case['stage']}: the clock is stopped")
        console.step("The citizen is told by SMS; what is asked stays on the site")
        console.sms(self.phone.next())
        console.step("The citizen reads the question with the code and answers, with a photo")
        holder = self.client.as_(code=code)
        seen = self._until(
            lambda: holder.get("/v1/tracking"), lambda case: bool(case.get("question")), "the question did not appear"
        )
        console.show(question=seen["question"]["text"])
        photo = self.client.upload("receipt.jpg", "image/jpeg", evidence.photo())
        answered = holder.post("/v1/tracking/answers", {"text": ANSWER, "uploads": [photo]})
        console.answer(f"200  {answered['stage_text']}")

    def _ask_unit(self, case_id: str) -> None:
        console = self.console
        console.step("The inspector asks the unit complained about")
        case = self.inspector.get(f"/v1/cases/{case_id}")
        case = self.inspector.post(f"/v1/cases/{case_id}/unit-questions", {"text": TO_UNIT}, case["version"])
        question = next(entry for entry in case["questions"] if entry["unit"] and not entry["answer"])
        console.answer(f"200  {case['stage']}")
        console.show(unit=question["unit"], answer_by=question["due_on"])
        liaison = self._sign_in(
            "liaison", "The unit's liaison sees the question alone: not the case, not who complained"
        )
        visible = next(
            entry
            for entry in liaison.get("/v1/unit-questions")["items"]
            if entry["question_id"] == question["question_id"]
        )
        console.answer(f"200  the fields that the liaison sees: {', '.join(sorted(visible))}")
        hidden = liaison.download(f"/v1/cases/{case_id}")
        console.answer(f"{hidden.status_code}  and the case itself is not for the liaison")
        if hidden.status_code == 200:
            raise console.failed("the liaison could read the case")
        console.step("The unit answers")
        liaison.post(f"/v1/unit-questions/{question['question_id']}/answer", {"text": UNIT_ANSWER})
        case = self.inspector.get(f"/v1/cases/{case_id}")
        console.answer(f"200  {case['stage']}")

    def _decide(self, case_id: str, code: str) -> None:
        console = self.console
        console.step("The inspector decides: upheld, with reasons, a root cause and a recommendation")
        case = self.inspector.get(f"/v1/cases/{case_id}")
        recommendation = {
            "text": "هر پرونده بیش از ده روز بی‌اقدام به رئیس اداره گزارش شود.",
            "due_on": str(_in_days(60)),
        }
        decision = {
            "outcome": "upheld",
            "reasons": REASONS,
            "root_causes": ["process", "people"],
            "recommendations": [recommendation],
        }
        case = self.inspector.post(f"/v1/cases/{case_id}/decision", decision, case["version"])
        console.answer(f"200  {case['stage']}")
        console.step("The decision reaches the citizen's phone")
        console.sms(self.phone.next())
        console.step("Its reasons are read with the code")
        holder = self.client.as_(code=code)
        seen = self._until(lambda: holder.get("/v1/tracking"), lambda case: bool(case.get("decision")), "no decision")
        published = seen["decision"]
        console.show(
            outcome=published["outcome_text"],
            reasons=published["reasons"],
            object_until=published["objection_until_text"],
        )

    # --- any phone ---

    def _by_sms(self, code: str) -> None:
        console = self.console
        console.step("The citizen texts the code to the office's number")
        console.sms(f"(to the office) {code}")
        self.phone.text(code)
        console.answer("the office answers:")
        console.sms(self.phone.next())
        console.step("The citizen texts 1: satisfied")
        console.sms("(to the office) 1")
        self.phone.text("1")
        console.answer("the office answers:")
        console.sms(self.phone.next())

    def _look_back(self, code: str, case_id: str) -> None:
        console = self.console
        console.step("The rating is in the case, and the timeline tells it all")
        holder = self.client.as_(code=code)
        case = self._until(
            lambda: holder.get("/v1/tracking"), lambda case: bool(case.get("score")), "the rating is missing"
        )
        for entry in case["timeline"]:
            author = "citizen" if entry["by"] == "you" else "office"
            console.show(**{entry["at_text"]: f"{author:<8} {entry['entry']:<18} {entry['text'] or ''}"})
        console.show(score=f"{case['score']} of 5")
        console.step("The inbox, read with the code")
        for message in reversed(holder.get("/v1/tracking/messages")["items"]):
            console.show(message=message["text"])
        console.step("The office's own timeline: each entry carries the hash of the one before it")
        whole = self.inspector.get(f"/v1/cases/{case_id}")
        for entry in whole["timeline"][-3:]:
            console.show(**{f"#{entry['sequence']} {entry['entry']}": entry["hash"]})

    def _until(
        self, read: Callable[[], Answer], is_done: Callable[[Answer], bool], failure: str, seconds: float = 30
    ) -> Answer:
        deadline = time.monotonic() + seconds
        while not is_done(answer := read()):
            if time.monotonic() > deadline:
                raise self.console.failed(f"{failure} (waited {seconds:.0f} s)")
            time.sleep(0.5)
        return answer


def _in_days(days: int) -> date:
    return date.today() + timedelta(days=days)
