"""The walk through the gateway: every operation of the API and every plain page, asked over HTTP by everybody of a world and by
nobody, and the stream of what changes; what is answered, errors and files as well, is held against the oracle."""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from contracts.vocabulary import ActorKind, Role
from gateway.app import create_app
from gateway.container import AppContainer
from gateway.evidence.attachments import Attachments
from gateway.evidence.chunk_relay import ChunkRelay
from tests.support.gateway import UNLIMITED, Keys, bearer
from tests.support.walk.bulk_walk import own_and_another
from tests.support.walk.gateway_parts import Browsers, ServicesClient, Stored
from tests.support.walk.oracle import TRACE, CaseFacts, Oracle, Person, Sort
from tests.support.walk.sent_answers import SentAnswers
from tests.support.walk.services import Services
from tests.support.walk.witness import FINDS_CASES, SEES_CASES, Leak, Witness
from tests.support.walk.world import World

_SESSION = str(uuid.UUID(int=1))
"""In which everybody asks; it is none of accounts'."""
_STREAM = "streamChanges"
"""Walked with all its readers at once (gateway_stream.py)."""
_HIDDEN = frozenset({401, 403, 404})
"""How a command is refused to who may not know of the case."""
_REFUSED = frozenset({401, 403, 404, 409, 410, 412, 413, 415, 416, 422, 428})

_NEVER_BY_COOKIE = frozenset({"openSession", "closeSession"})
"""They open and end sessions. Every third of the other requests has the cookie of one instead of a token or a code."""
_LETTERBOXES = frozenset({"listMessages", "listIdentityRequests"})
_WITHOUT_RESULT = frozenset(
    {
        "getLatestCheckpoint",
        "receiveSmsByGet",
        "receiveSmsPushByGet",
        "reportDeliveryByGet",
        "getUploadOptions",
        "getUploadOffset",
        *("getUpload", "previewUpload"),
        "readCalendarFeed",
        *("listAudit", "exportAudit"),
        *("getWebhookSubscription", "listWebhookDeliveries", "getDeadLetter"),
    }
)
"""Read without an answer in a world of no uploads, no provider, no checkpoint, no auditor and no partner."""


@dataclass(frozen=True)
class Operation:
    """One of the API's. `example`: a body as the document shows it."""

    name: str
    method: str
    path: str
    example: Any = None

    @property
    def reads(self) -> bool:
        return self.method in ("GET", "HEAD")

    @property
    def names(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


class GatewayWalk(Witness):
    """Walks one world through a gateway of its own. `much`: how many cases each person asks for by each operation, of those
    they may know and of those they may not. Stops at the first leak."""

    def __init__(self, world: World, services: Services, folder: Path, much: int = 1) -> None:
        self.world, self.much = world, much
        self.oracle: Oracle = world.oracle
        self.keys = Keys()
        self.keys.environment = dict(world.keys)
        self.rabbit = ServicesClient(services)
        self.settings = self.keys.settings(
            folder,
            **UNLIMITED,
            stream_queue=100_000,
            limit_streams=10_000,
            limit_streams_by_address=10_000,
            max_streams=10_000,
        )
        self.app = create_app(self.settings, self.rabbit)
        self.container: AppContainer = self.app.state.container
        assert world.catalogue is not None
        self.container.catalogue_cache.put(world.catalogue)
        # Objects hold the word that names them.
        objects = httpx.MockTransport(lambda request: httpx.Response(200, stream=Stored(request.url.path[1:].encode())))
        self.container.object_store = httpx.AsyncClient(transport=objects)
        self.container.chunk_relay = ChunkRelay(self.rabbit, self.container.object_store)
        self.container.attachments = Attachments(self.rabbit, self.container.object_store)
        self.answered: Counter[str] = Counter()
        self._ids = itertools.count()
        self.browsers = Browsers(self)
        self.requests_sent, self._sent_answers = 0, SentAnswers([case.code for case in self.oracle.cases.values()])
        self._rows = {
            name: self.world.rows("tracking", f"SELECT * FROM {name}")
            for name in ("questions", "visit_slots", "rooms", "identity_requests", "referrals")
        }

    def operations(self) -> Iterator[Operation]:
        document = self.app.openapi()
        for path, item in document["paths"].items():
            for method, described in item.items():
                if method == "parameters":
                    continue
                body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
                named = document["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], {})
                [example, *_] = named.get("examples") or [{}]
                yield Operation(described["operationId"], method.upper(), path, example)

    def all(self) -> int:
        """Everything, by everybody; how many questions were asked."""
        asyncio.run(self._all())
        return self.requests_sent

    async def _all(self) -> None:
        from tests.support.walk.gateway_pages import walk_pages  # here, for both know this class
        from tests.support.walk.gateway_stream import walk_stream

        operations = list(self.operations())
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            self.client = client
            for operation in operations:
                if operation.name == _STREAM:
                    continue
                for person in self.world.people:
                    await self._walk(operation, person)
            await walk_pages(self)
            await walk_stream(self)
        unanswered = {
            operation.name for operation in operations if operation.reads and operation.name not in _WITHOUT_RESULT
        }
        unanswered -= set(self.answered) | {_STREAM}
        if unanswered:
            raise Leak(f"nobody was answered by {sorted(unanswered)}: the walk shows nothing there")

    # --- asking ---

    def headers(self, person: Person) -> dict[str, str]:
        """The credentials of this person."""
        if person.actor is None:
            return {}
        if person.actor.kind is ActorKind.STAFF:
            roles = sorted(person.actor.roles)
            claims = {"sub": person.actor.id, "ver": person.version, "sid": _SESSION}
            return bearer(self.keys.staff(*roles, unit=person.actor.unit, **claims))
        if person.actor.kind is ActorKind.CITIZEN:
            return bearer(self.keys.citizen(sub=person.actor.id, sid=_SESSION))
        return {"Tracking-Code": self.code(person)}

    def code(self, person: Person) -> str:
        return next(case.code for case in self.oracle.cases.values() if case.code_hash == person.code_hash)

    async def send(
        self,
        operation: Operation,
        person: Person,
        path: str,
        check: bool = True,
        allowed: Iterable[str] = (),
        **more: Any,
    ) -> httpx.Response:
        """What the gateway answers: nothing of it may be for others, and none of it may be a failure."""
        self.requests_sent += 1
        own = self.headers(person)
        by_cookie = bool(own) and operation.name not in _NEVER_BY_COOKIE and self.requests_sent % 3 == 0
        credentials = await self.browsers.headers(person) if by_cookie else own
        headers = {**credentials, **more.pop("headers", {})}
        answer = await self.client.request(operation.method, path, headers=headers, **more)
        where = f"{operation.name} ({operation.method} {path})"
        await self._sent_answers.check(self.client, where, answer, more)
        if not answer.is_success and answer.status_code not in _REFUSED and not answer.has_redirect_location:
            raise Leak(f"{where} answers {person.name} with {answer.status_code}: {answer.text[:300]}")
        if answer.is_success:
            self.answered[operation.name] += 1
        if check:
            sent = f"{path} {more.get('json')} {more.get('params')} {own.get('Tracking-Code', '')}"
            given = set(TRACE.findall(sent)) | set(allowed)
            answer_text = f"{answer.text}\n{answer.headers.multi_items()}"
            for word in self.oracle.leaked_words(person, answer_text):
                if word.rpartition(" ")[2] not in given:
                    raise Leak(f"{where} tells {person.name} {word} with {answer.status_code}")
        return answer

    # --- whom to ask for what ---

    def hidden_cases(self, person: Person) -> list[CaseFacts]:
        """Of the cases that this person may not know of some, others each time."""
        return self._some(self.oracle.hidden_cases(person))

    def known_cases(self, person: Person) -> list[CaseFacts]:
        return self._some(self.oracle.known_cases(person))

    def _some(self, cases: list[CaseFacts]) -> list[CaseFacts]:
        return [cases[next(self._ids) * 7 % len(cases)] for _ in range(self.much)] if cases else []

    def _values(self, person: Person, operation: Operation) -> Iterator[tuple[dict[str, str], CaseFacts | None]]:
        """What stands in the path, and the case that it is of."""
        names = operation.names
        if "case_id" in names or ("media_id" in names and "question_id" not in names):
            cases = self.oracle.known_cases(person) if operation.name.endswith("Letter") else self.known_cases(person)
            for case in [*cases, *self.hidden_cases(person)]:
                for values in self._of_case(names, case):
                    yield values, case
        elif {"bulk_id", "macro_id"} & set(names):
            yield from own_and_another(self.world, person, names[0], next(self._ids))
        elif "question_id" in names:
            for row in self._rows["questions"][:: max(1, 6 // self.much)]:
                case = self.oracle.cases[row["case_id"]]
                files = list(case.media) if "media_id" in names else [""]
                for file in files:
                    yield {"question_id": str(row["question_id"]), "media_id": file}, case
        else:
            for values in self._of_none(names):
                yield values, None

    def _of_case(self, names: list[str], case: CaseFacts) -> Iterator[dict[str, str]]:
        files = list(case.media) if "media_id" in names else [""]
        [item, *_] = [str(check["item_id"]) for check in case.row["checklist"]] or [str(uuid.uuid4())]
        [recommendation_id, *_] = [
            str(recommendation) for recommendation, (of, _) in self.world.recommendations.items() if of == case.case_id
        ] or [str(uuid.uuid4())]
        colleagues = case.row["colleagues"]
        consultation_ids = [line["consultation_id"] for line in colleagues if line["as"] == "consulted"]
        for file in files:
            yield {
                "case_id": str(case.case_id),
                "inspector": next((line["staff"] for line in colleagues), str(uuid.uuid4())),
                "consultation_id": next(iter(consultation_ids), str(uuid.uuid4())),
                "media_id": file,
                "item_id": item,
                "recommendation_id": recommendation_id,
                "macro_id": str(next(id_ for id_, (_, audience) in self.world.macros.items() if audience == "all")),
            }

    def _of_none(self, names: list[str]) -> Iterator[dict[str, str]]:
        if not names:
            yield {}
            return
        if "secret" in names:  # a provider's webhook, for who does not know its secret
            yield {"provider": "kavenegar", "secret": "wrong", "kind": "inbound"}
            return
        [name] = [name for name in names if name != "name"]
        values: Mapping[str, Iterable[Any]] = {
            "search_id": self.world.searches,
            "export_id": self.world.exports,
            "recommendation_id": self.world.recommendations,
            "referral_id": [row["referral_id"] for row in self._rows["referrals"]],
            "request_id": [row["request_id"] for row in self._rows["identity_requests"]],
            "slot_id": [row["slot_id"] for row in self._rows["visit_slots"]],
            "room_id": [row["room_id"] for row in self._rows["rooms"]],
        }
        someone = next(person.id for person in self.world.people if person.roles == {Role.INSPECTOR})
        single = {
            **dict.fromkeys(("unit", "ground", "reason", "cause", "template", "outside_body", "article"), "off.a"),
            **dict.fromkeys(("inspector", "staff_id", "change_id", "subscription_id", "leave_id"), someone),
            **dict.fromkeys(("passkey_id", "session_id", "notification_id"), someone),
            "letter_id": "0" * 32,
            "channel": "inbox",
            "upload_id": next(iter(next(iter(self.oracle.cases.values())).media)),
        }
        if name in single:
            yield {name: single[name], "name": "decided"}
            return
        candidates = list(values[name])
        for place in range(min(len(candidates), 2 * self.much)):
            yield {name: str(candidates[(next(self._ids) * 5 + place) % len(candidates)])}

    def _queries(self, operation: Operation, person: Person) -> Iterator[dict[str, Any]]:
        yield {}
        if operation.name in ("listCases", "countFoundCases"):
            for case in self.hidden_cases(person):
                yield {"text": case.text.split()[0]}
                yield {"number": case.number}
                yield {"unit": case.unit, "below": False} if case.unit else {"stage": case.stage}
            for search in list(self.world.searches)[:: max(1, 4 // self.much)]:
                yield {"search": str(search)}
        elif operation.name in ("listRecommendations", "listUnitQuestions"):
            yield {"open_only": False}
        elif operation.name == "countCases":
            yield {"by": ["unit", "stage"]}
        elif operation.name in ("countDecisions", "countRatings", "countVisits"):
            yield {"by": ["unit"]}
        elif operation.name.startswith("download") and operation.name != "downloadExport":
            yield {"variant": "thumbnail"}

    async def _walk(self, operation: Operation, person: Person) -> None:
        if not operation.reads:
            await self._command(operation, person)
            return
        for values, case in self._values(person, operation):
            for query in self._queries(operation, person):
                path = operation.path.format(**values)
                answer = await self._pages_of(operation, person, path, query)
                self._reads(operation, person, values, case, query, answer)

    async def _pages_of(
        self, operation: Operation, person: Person, path: str, query: dict[str, Any]
    ) -> list[httpx.Response]:
        """The answer, and while it says `next`, those after it."""
        pages: list[httpx.Response] = []
        after: str | None = None
        while True:
            more = {**query, **({"after": after} if after else {})}
            check = operation.name not in _LETTERBOXES
            answer = await self.send(operation, person, path, check=check, params=more)
            if not check and answer.is_success:
                self._letterbox(operation, person, answer.json())
            pages.append(answer)
            is_page = answer.is_success and answer.headers["content-type"].startswith("application/json")
            after = answer.json().get("next") if is_page and isinstance(answer.json(), dict) else None
            if after is None:
                return pages

    def _letterbox(self, operation: Operation, person: Person, letterbox: Any) -> None:
        """Lists that name cases to who may not open them: what was written to them by name, and to custodians, for whom they
        decide; of a case about a unit they belong to nothing at all."""
        for item in letterbox["items"]:
            case = self.oracle.cases.get(UUID(item["case_id"])) if item.get("case_id") else None
            if case is None:
                continue
            if person.staff and self.oracle.conflicted(person, case.unit):
                raise Leak(f"{operation.name} tells {person.name} of {case.number}")
            named = {str(case.case_id), case.number}
            staff = {word for word, canary in self.oracle.canaries.items() if canary.sort is Sort.STAFF}
            for word in self.oracle.leaked_words(person, str(item)):
                if word.rpartition(" ")[2] not in named | staff:
                    raise Leak(f"{operation.name} tells {person.name} {word}")

    def _reads(
        self,
        operation: Operation,
        person: Person,
        values: Mapping[str, str],
        case: CaseFacts | None,
        query: Mapping[str, Any],
        answers: list[httpx.Response],
    ) -> None:
        """What is granted is answered, too: a gateway that refuses everybody would prove nothing."""
        name, first = operation.name, answers[0]
        known_cases = self.oracle.known_cases(person)
        sees, finds = bool(person.roles & SEES_CASES), bool(person.roles & FINDS_CASES)
        listed = self.oracle.listed(person)
        citizen = person.actor is not None and person.actor.kind is ActorKind.CITIZEN
        holds = person.actor is not None and person.actor.kind is ActorKind.BEARER
        if name == "listCases" and finds and not query:
            listed_ids = sorted(item["case_id"] for page in answers for item in page.json()["items"])
            self.same(person, name, listed_ids, sorted(str(item.case_id) for item in listed))
        elif name == "countFoundCases" and finds and not query:
            self.same(person, name, first.json()["count"], len(listed))
        elif name == "getCase":
            assert case is not None
            self.same(person, f"{name} {case.number}", first.status_code == 200, sees and case in known_cases)
        elif name == "getOwnCase":
            assert case is not None
            self.same(person, f"{name} {case.number}", first.status_code == 200, citizen and case in known_cases)
        elif name == "listOwnCases" and citizen:
            listed_ids = sorted(item["case_id"] for page in answers for item in page.json()["items"])
            self.same(person, name, listed_ids, sorted(str(known_case.case_id) for known_case in known_cases))
        elif name == "getCaseByCode":
            self.same(person, name, first.status_code == 200, holds)
        elif name in ("downloadAttachment", "downloadOwnAttachment", "downloadAttachmentByCode"):
            assert case is not None
            canary = case.media[values["media_id"]]
            by = {"downloadAttachment": sees, "downloadOwnAttachment": citizen, "downloadAttachmentByCode": holds}[name]
            reads = self.oracle.reads_filed(person, case)
            granted = by and reads and (person.staff or canary.sort in (Sort.FILED, Sort.SENT_ALONG))
            self.same(person, f"{name} {values['media_id']}", first.status_code == 200, granted)
        elif name == "downloadUnitQuestionAttachment":
            assert case is not None
            canary = case.media[values["media_id"]]
            unit = self._unit_of_question(values)
            of_it = canary.sort in (Sort.UNIT, Sort.SENT_ALONG) and canary.unit == unit
            self.same(person, name, first.status_code == 200, of_it and self.oracle.answers_for(person, unit))
        elif name == "getPresence":
            assert case is not None
            self.same(person, f"{name} {case.number}", first.status_code == 200, sees and case in known_cases)
        elif name in ("getExport", "downloadExport"):
            owner = self.world.exports[UUID(values["export_id"])]
            self.same(person, name, first.status_code == 200, owner == person.id and finds)
        elif name in ("getBulk", "readBulkReport"):
            own = self.world.bulks[UUID(values["bulk_id"])] == person.id
            self.same(person, name, first.status_code == 200, own and sees)
        elif name == "getLatestCheckpoint":
            self.same(person, name, first.is_success, False)  # none was made of this world

    # --- commands ---

    async def _command(self, operation: Operation, person: Person) -> None:
        for values, case in self._values(person, operation):
            path = operation.path.format(**values)
            opens = operation.name == "openIdentity"
            for version in {case.row["version"], 1} if case and not opens else {1}:
                headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": f'"{version}"'}
                arguments = {"headers": headers, "json": self._body(operation, person)}
                answer = await self.send(
                    operation, person, path, allowed=self._echoed_words(operation, person), **arguments
                )
                may = case is None or self._may_command(operation, person, values, case)
                if not may and answer.status_code not in _HIDDEN:  # a mistake in the body, say, would be told of a case
                    raise Leak(f"{operation.name} of a hidden case tells {person.name} {answer.text[:300]}")
                if opens and case:
                    self.same(person, operation.name, answer.is_success, self.oracle.opens(person, case))

    def _may_command(self, operation: Operation, person: Person, values: Mapping[str, str], case: CaseFacts) -> bool:
        if operation.name == "answerUnitQuestion":
            unit = self._unit_of_question(values)
            return unit is not None and self.oracle.answers_for(person, unit)
        if operation.name == "askForIdentity":
            return self.oracle.may_ask_for_identity(person, case)
        if operation.name == "openIdentity":
            return self.oracle.may_ask_to_open(person, case)
        return self.oracle.knows(person, case)

    def _unit_of_question(self, values: Mapping[str, str]) -> Any:
        """The unit that the question in the path was put to; None: to the citizen."""
        rows = self._rows["questions"]
        [unit] = [row["unit"] for row in rows if str(row["question_id"]) == values["question_id"]]
        return unit

    def _echoed_words(self, operation: Operation, person: Person) -> Iterable[str]:
        """What a custodian has to be told: of which case an identity is asked for."""
        if operation.name not in ("askForIdentity", "decideIdentityRequest", "listIdentityRequests"):
            return ()
        return [
            word
            for case in self.oracle.cases.values()
            if not self.oracle.conflicted(person, case.unit)
            for word in (str(case.case_id), case.number)
        ]

    def _body(self, operation: Operation, person: Person) -> Any:
        """The document's example, with cases that are hidden from this person, and staff and units of this world."""
        hidden = self.hidden_cases(person)
        inspector = next(person for person in self.world.people if person.roles == {Role.INSPECTOR} and person.active)
        other = str(hidden[0].case_id) if hidden else str(uuid.uuid4())
        files = list(hidden[0].media)[:1] if hidden else ["none000000000000000000"]
        if operation.name.startswith(
            ("sendEvidence", "sendMessage")
        ):  # what is another case's media refuses (test_media_claims)
            files = [secrets.token_urlsafe(24)]
        put = {
            "inspector": inspector.id,
            "colleague": inspector.id,
            "leaver": inspector.id,
            "unit": "off.a",
            "to": other,
            "into": other,
            "case_id": other,
            "linked": other,
            "uploads": files,
            "media": files,
            "upload_hashes": {},
            "slot_id": str(self._rows["visit_slots"][0]["slot_id"]),
            "slots": [str(self._rows["visit_slots"][0]["slot_id"])],
        }

        def changed(value: Any, key: str = "") -> Any:
            if key in put and type(put[key]) is type(value):
                return put[key]
            if isinstance(value, dict):
                return {name: changed(element, name) for name, element in value.items()}
            if isinstance(value, list):
                return [changed(element, key) for element in value]
            return value

        return changed(operation.example)
