"""The story: a report and a complaint go in, a decision comes out by SMS, in the inbox and by the code."""

import re
import time
from collections.abc import Callable
from datetime import date, timedelta

import httpx

from deploy.demo import evidence
from deploy.demo.door import Answer, Door, Staff, sign_in_staff, some_mobile
from deploy.demo.phones import Phone
from deploy.demo.telling import Teller

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


class Story:
    """One telling. `staff`: the accounts of the seed."""

    def __init__(self, gateway: httpx.Client, simulator: httpx.Client, staff: dict[str, Staff], teller: Teller) -> None:
        self.teller, self.staff = teller, staff
        self.door = Door(gateway, teller)
        self.phone = Phone(simulator, some_mobile())

    def play(self) -> None:
        """All of it; Failed names the step that went wrong."""
        self.teller.chapter("A citizen reports wrongdoing, without a name")
        photo, voice = self._upload_evidence()
        report_code = self._file_report(photo, voice)
        self._photo_has_no_gps(report_code, photo)
        self.teller.chapter("Another citizen complains, with name and mobile")
        complaint_code = self._complain()
        self._track(complaint_code)
        self.teller.chapter("The inspection office works on the complaint")
        case_id = self._screen_and_assign(complaint_code)
        self._ask_and_answer(case_id, complaint_code)
        self._ask_unit(case_id)
        self._decide(case_id, complaint_code)
        self.teller.chapter("The citizen hears of it, with any phone")
        self._by_sms(complaint_code)
        self._look_back(complaint_code, case_id)

    # --- a report ---

    def _upload_evidence(self) -> tuple[str, str]:
        tell = self.teller
        tell.step("A photo goes up by tus, in chunks; its EXIF says where it was taken")
        photo = evidence.photo()
        tell.shows(photo=f"{len(photo)} bytes, GPS in its EXIF: {'yes' if evidence.has_gps(photo) else 'no'}")
        photo_id = self.door.upload("street.jpg", "image/jpeg", photo)
        tell.step("A voice note goes up the same way")
        voice_id = self.door.upload("note.wav", "audio/wav", evidence.voice_note())
        return photo_id, voice_id

    def _file_report(self, photo: str, voice: str) -> str:
        tell = self.teller
        tell.step("The anonymous report is filed; the code comes at once")
        filed = self.door.post("/v1/submissions", {**REPORT, "uploads": [photo, voice]})
        code = str(filed["tracking_code"])
        tell.answer(f"201  {filed['stage_text']}")
        tell.shows(tracking_code=code, receipt=filed["receipt"]["payload"], next="\n".join(filed["next_steps"]))
        return code

    def _photo_has_no_gps(self, code: str, photo: str) -> None:
        tell = self.teller
        tell.step("The code shows the case and its evidence, once media has looked at it")
        holder = self.door.as_(code=code)
        case = self._until(
            lambda: holder.get("/v1/tracking"),
            lambda case: (
                bool(case.get("attachments"))
                and all(one["state"] in ("accepted", "rejected") for one in case["attachments"])
            ),
            "the evidence was not examined in time",
            seconds=60,
        )
        tell.answer(f"200  {case['stage_text']}")
        for one in case["attachments"]:
            tell.shows(attachment=f"{one['media_type']}, {one['state']}: {', '.join(one['variants'])}")
        if any(one["state"] != "accepted" for one in case["attachments"]):
            raise tell.failed("a piece of evidence was rejected")
        tell.step("The photo is downloaded with the code; where it was taken is gone from it")
        downloaded = holder.download(f"/v1/tracking/attachments/{photo}")
        if downloaded.status_code != 200 or not downloaded.content.startswith(b"\xff\xd8"):
            raise tell.failed(f"the photo could not be downloaded ({downloaded.status_code})")
        gps = evidence.has_gps(downloaded.content)
        tell.answer(f"200  {downloaded.headers['content-type']}")
        tell.shows(photo=f"{len(downloaded.content)} bytes, GPS in its EXIF: {'yes' if gps else 'no'}")
        if gps:
            raise tell.failed("the downloaded photo still says where it was taken")

    # --- a complaint ---

    def _complain(self) -> str:
        tell = self.teller
        tell.step("A one-time code is asked for; it comes by SMS")
        sent = self.door.post("/v1/auth/codes", {"mobile": self.phone.mobile})
        tell.answer(f"200  valid for {sent['expires_in']} s")
        text = self.phone.next()
        tell.sms(text)
        found = re.search(r"\d{4,8}", text)
        if found is None:
            raise tell.failed("the SMS has no one-time code")
        tell.step("The citizen signs in with it")
        tokens = self.door.post("/v1/auth/tokens", {"mobile": self.phone.mobile, "code": found.group()})
        tell.answer(f"200  a session of {tokens['expires_in'] // 60} minutes")
        tell.step("The complaint is filed")
        filed = self.door.as_(token=tokens["access_token"]).post("/v1/submissions", dict(COMPLAINT))
        code = str(filed["tracking_code"])
        tell.answer(f"201  {filed['stage_text']}")
        tell.shows(tracking_code=code, next="\n".join(filed["next_steps"]))
        tell.step("The code comes by SMS, too, with the day a result is owed")
        text = self.phone.next(wait=90)
        tell.sms(text)
        if code.replace(" ", "-") not in text:
            raise tell.failed("the SMS does not carry the code")
        return code

    def _track(self, code: str) -> None:
        self.teller.step("Where is my case? By the code alone")
        case = self._registered(code)
        self.teller.answer(f"200  {case['stage_text']}")
        self.teller.shows(unit=case["unit_name"], ground=case["ground_name"], result_by=case["expected_text"])

    def _registered(self, code: str) -> Answer:
        holder = self.door.as_(code=code)
        return self._until(
            lambda: holder.get("/v1/tracking"),
            lambda case: case["stage"] != "registering",
            "the case was not registered",
        )

    # --- the office ---

    def _sign_in(self, username: str, title: str) -> Door:
        self.teller.step(title)
        if username not in self.staff:
            raise self.teller.failed(f"the credentials hold no account {username}")
        return sign_in_staff(self.door, self.staff[username])

    def _screen_and_assign(self, code: str) -> str:
        tell = self.teller
        screener = self._sign_in("screener", "The screener signs in with password and TOTP")
        tell.answer("200")
        case_id = str(self._registered(code)["case_id"])
        tell.step("The screener finds the case and begins the first reading")
        listed = screener.get("/v1/cases", stage="registered", limit="5")
        tell.answer(f"200  {len(listed['items'])} of the newest unread cases")
        case = screener.get(f"/v1/cases/{case_id}")
        case = screener.post(f"/v1/cases/{case_id}/screening", {}, case["version"])
        tell.answer(f"200  {case['number']}: {case['stage']}, version {case['version']}")
        tell.step("The case is assigned to an inspector")
        inspectors = screener.get("/v1/staff", role="inspector")["items"]
        first = min(inspectors, key=lambda one: str(one["display_name"] != "بازرس یک"))
        case = screener.post(f"/v1/cases/{case_id}/assignment", {"inspector": first["staff_id"]}, case["version"])
        tell.answer(f"200  {case['stage']}")
        tell.shows(inspector=first["display_name"], result_by=case["expected_on"])
        return case_id

    def _ask_and_answer(self, case_id: str, code: str) -> None:
        tell = self.teller
        self.inspector = self._sign_in("inspector", "The inspector signs in and asks the citizen a question")
        case = self.inspector.get(f"/v1/cases/{case_id}")
        case = self.inspector.post(f"/v1/cases/{case_id}/citizen-questions", {"text": QUESTION}, case["version"])
        tell.answer(f"200  {case['stage']}: the clock is stopped")
        tell.step("The citizen is told by SMS; what is asked stays on the site")
        tell.sms(self.phone.next())
        tell.step("The citizen reads the question with the code and answers, with a photo")
        holder = self.door.as_(code=code)
        seen = self._until(
            lambda: holder.get("/v1/tracking"), lambda case: bool(case.get("question")), "the question did not appear"
        )
        tell.shows(question=seen["question"]["text"])
        photo = self.door.upload("receipt.jpg", "image/jpeg", evidence.photo())
        answered = holder.post("/v1/tracking/answers", {"text": ANSWER, "uploads": [photo]})
        tell.answer(f"200  {answered['stage_text']}")

    def _ask_unit(self, case_id: str) -> None:
        tell = self.teller
        tell.step("The inspector asks the unit complained about")
        case = self.inspector.get(f"/v1/cases/{case_id}")
        case = self.inspector.post(f"/v1/cases/{case_id}/unit-questions", {"text": TO_UNIT}, case["version"])
        asked = next(one for one in case["questions"] if one["unit"] and not one["answer"])
        tell.answer(f"200  {case['stage']}")
        tell.shows(unit=asked["unit"], answer_by=asked["due_on"])
        liaison = self._sign_in(
            "liaison", "The unit's liaison sees the question alone: not the case, not who complained"
        )
        shown = next(
            one for one in liaison.get("/v1/unit-questions")["items"] if one["question_id"] == asked["question_id"]
        )
        tell.answer(f"200  what the liaison is told: {', '.join(sorted(shown))}")
        hidden = liaison.download(f"/v1/cases/{case_id}")
        tell.answer(f"{hidden.status_code}  and the case itself is not for the liaison")
        if hidden.status_code == 200:
            raise tell.failed("the liaison could read the case")
        tell.step("The unit answers")
        liaison.post(f"/v1/unit-questions/{asked['question_id']}/answer", {"text": UNIT_ANSWER})
        case = self.inspector.get(f"/v1/cases/{case_id}")
        tell.answer(f"200  {case['stage']}")

    def _decide(self, case_id: str, code: str) -> None:
        tell = self.teller
        tell.step("The inspector decides: upheld, with reasons, a root cause and a recommendation")
        case = self.inspector.get(f"/v1/cases/{case_id}")
        advice = {"text": "هر پرونده بیش از ده روز بی‌اقدام به رئیس اداره گزارش شود.", "due_on": str(_in_days(60))}
        decision = {
            "outcome": "upheld",
            "reasons": REASONS,
            "root_causes": ["process", "people"],
            "recommendations": [advice],
        }
        case = self.inspector.post(f"/v1/cases/{case_id}/decision", decision, case["version"])
        tell.answer(f"200  {case['stage']}")
        tell.step("The decision reaches the citizen's phone")
        tell.sms(self.phone.next())
        tell.step("Its reasons are read with the code")
        holder = self.door.as_(code=code)
        seen = self._until(lambda: holder.get("/v1/tracking"), lambda case: bool(case.get("decision")), "no decision")
        told = seen["decision"]
        tell.shows(outcome=told["outcome_text"], reasons=told["reasons"], object_until=told["objection_until_text"])

    # --- any phone ---

    def _by_sms(self, code: str) -> None:
        tell = self.teller
        tell.step("The citizen texts the code to the office's number")
        tell.sms(f"(to the office) {code}")
        self.phone.text(code)
        tell.answer("the office answers:")
        tell.sms(self.phone.next())
        tell.step("The citizen texts 1: satisfied")
        tell.sms("(to the office) 1")
        self.phone.text("1")
        tell.answer("the office answers:")
        tell.sms(self.phone.next())

    def _look_back(self, code: str, case_id: str) -> None:
        tell = self.teller
        tell.step("The rating is in the case, and the timeline tells it all")
        holder = self.door.as_(code=code)
        case = self._until(
            lambda: holder.get("/v1/tracking"), lambda case: bool(case.get("score")), "the rating is missing"
        )
        for entry in case["timeline"]:
            who = "citizen" if entry["by"] == "you" else "office"
            tell.shows(**{entry["at_text"]: f"{who:<8} {entry['entry']:<18} {entry['text'] or ''}"})
        tell.shows(score=f"{case['score']} of 5")
        tell.step("The inbox, read with the code")
        for message in reversed(holder.get("/v1/tracking/messages")["items"]):
            tell.shows(message=message["text"])
        tell.step("The office's own timeline: each entry carries the hash of the one before it")
        whole = self.inspector.get(f"/v1/cases/{case_id}")
        for entry in whole["timeline"][-3:]:
            tell.shows(**{f"#{entry['sequence']} {entry['entry']}": entry["hash"]})

    def _until(
        self, ask: Callable[[], Answer], enough: Callable[[Answer], bool], otherwise: str, seconds: float = 30
    ) -> Answer:
        until = time.monotonic() + seconds
        while not enough(answer := ask()):
            if time.monotonic() > until:
                raise self.teller.failed(f"{otherwise} (waited {seconds:.0f} s)")
            time.sleep(0.5)
        return answer


def _in_days(days: int) -> date:
    return date.today() + timedelta(days=days)
