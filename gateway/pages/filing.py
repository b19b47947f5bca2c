"""Filing: one question a page, from the kind to the code."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from backbone.persian import normalisation as persian
from contracts.errors import TooMany, Unavailable
from contracts.gateway import AnswerValue
from contracts.intake import Catalogue, Unit
from contracts.vocabulary import Kind
from gateway.api.fields import CLAIM_SEEN
from gateway.pages import draft as drafts
from gateway.pages import evidence, signing_in, units
from gateway.pages.cookies import TooMuch
from gateway.pages.draft import Done, Draft
from gateway.pages.gateway_port import Filing
from gateway.pages.shown import answer_text
from gateway.pages.visit import Visit
from gateway.pages.visit_store import StoreUnavailable
from gateway.submissions.catalogue_cache import reached_questions as questions_asked

DONE_KEPT = 60 * 60  # seconds
SHORTEST_TEXT, LONGEST_NAME, MOST_PEOPLE = 10, 100, 10  # as gateway.api.fields has them
KINDS = (Kind.COMPLAINT, Kind.CRITICISM, Kind.INFORMATION)


def _draft(visit: Visit) -> Draft | None:
    """The visitor's draft; one that is not kept yet where a kind is being begun."""
    kept = visit.cookies.read("draft", Draft, drafts.KEPT)
    return Draft(kind=visit.kind_begun) if kept is None and visit.kind_begun else kept


def _catalogue(visit: Visit) -> Catalogue:
    catalogue = visit.door.catalogue()
    if catalogue is None:
        raise Unavailable(retry_after=5)
    return catalogue


def _keep(visit: Visit, draft: Draft, field: str) -> bool:
    """False with an error beside `field`, when it is more than is kept of one visitor."""
    try:
        visit.cookies.write("draft", draft)
    except TooMuch:
        visit.wrong(field, "too_much")
        return False
    visit.accept()
    return True


def _on(visit: Visit, draft: Draft, step: str, field: str) -> Response | None:
    """Keeps the draft with this step gone through and goes on; None when it could not be kept."""
    done = draft.model_copy(update={"done": [*(s for s in draft.done if s != step), step]})
    if not _keep(visit, done, field):
        return None
    following = drafts.next_step(done, visit.door.catalogue(), visit.signed_in is not None)
    return visit.go(f"/file/{following}")


def _misplaced(visit: Visit, draft: Draft | None, step: str) -> Response | None:
    """Where to go instead, when this page is not this visitor's turn."""
    if draft is None:
        return visit.go("/file/done") if visit.cookies.read("done", Done, DONE_KEPT) else visit.gone("/file/kind")
    signed_in = visit.signed_in is not None
    walk = drafts.steps(draft, visit.door.catalogue(), signed_in)
    turn = drafts.next_step(draft, visit.door.catalogue(), signed_in)
    if step not in walk or (step not in draft.done and walk.index(step) > walk.index(turn)):
        return visit.go(f"/file/{turn}")
    return None


def _page(visit: Visit, draft: Draft, step: str, template: str, title: str, **context: Any) -> Response:
    walk = drafts.steps(draft, visit.door.catalogue(), visit.signed_in is not None)
    at = walk.index(step)
    before = f"/file/{walk[at - 1]}" if at else "/file/kind"
    sections = drafts.sections(draft.kind)
    section = drafts.section_of(step)
    place: dict[str, Any] = {"step": sections.index(section) + 1, "steps": len(sections), "section": section}
    return visit.page(template, title, draft=draft, before=before, **place, **context)


# --- kind -----------------------------------------------------------------------------------------------------------


async def begin(visit: Visit) -> Response:
    """The first page of a kind; only what is posted to it begins a draft. One of another kind is changed where kinds are."""
    wanted = visit.request.path_params["kind"]
    if wanted not in set(Kind):
        return visit.go("/file/kind")
    kept, signed_in = visit.cookies.read("draft", Draft, drafts.KEPT), visit.signed_in is not None
    if kept is not None and kept.kind != wanted and visit.request.method != "POST":
        return await kind(visit)
    step = drafts.next_step(kept or Draft(kind=Kind(wanted)), visit.door.catalogue(), signed_in)
    first = {"mobile": mobile, "name": name, "unit": unit}.get(step)
    return visit.go(f"/file/{step}") if first is None or kept is not None else await first(visit)


def _begin(visit: Visit, kind: Kind) -> Response:
    draft = drafts.with_kind(visit.cookies.read("draft", Draft, drafts.KEPT), kind)
    visit.cookies.write("draft", draft)
    return visit.go(f"/file/{drafts.next_step(draft, visit.door.catalogue(), visit.signed_in is not None)}")


async def kind(visit: Visit) -> Response:
    if visit.request.method == "POST":
        chosen = next((kind for kind in KINDS if kind == visit.typed("kind")), None)
        if chosen is not None:
            return _begin(visit, chosen)
        visit.wrong("kind", "need_kind")
    draft = _draft(visit)
    chosen = visit.kind_begun or (draft.kind if draft else None)
    return visit.page("kind", visit.say("kind_title"), kinds=KINDS, chosen=chosen)


async def forget(visit: Visit) -> Response:
    """Nothing of the draft is left; the files it had sent are unreferenced and go by themselves."""
    if visit.request.method == "POST":
        visit.cookies.drop("draft")
        visit.cookies.drop("mobile")
        visit.cookies.drop_all("typed:/file")
    return visit.go("/")


# --- who ------------------------------------------------------------------------------------------------------------


async def mobile(visit: Visit) -> Response:
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "mobile"):
        return away
    assert draft is not None
    if visit.request.method == "POST" and await signing_in.send_code(visit, visit.typed("mobile")):
        return _on(visit, draft, "mobile", "mobile") or visit.go("/file/mobile")
    return _page(visit, draft, "mobile", "mobile", visit.say("mobile_title"), typed=visit.typed("mobile"))


async def one_time_code(visit: Visit) -> Response:
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "code"):
        return away
    assert draft is not None
    sent_to = signing_in.pending(visit)
    if sent_to is None:
        return visit.go("/file/mobile")
    if visit.request.method == "POST" and await signing_in.check_code(visit, sent_to):
        kept = draft.model_copy(update={"done": [step for step in draft.done if step not in ("mobile", "code")]})
        visit.cookies.write("draft", kept)
        return visit.go(f"/file/{drafts.next_step(kept, visit.door.catalogue(), True)}")
    return _page(visit, draft, "code", "one_time_code", visit.say("otp_title"), sent_to=sent_to)


async def code_again(visit: Visit) -> Response:
    draft = _draft(visit)
    sent_to = signing_in.pending(visit)
    if draft is None or sent_to is None or visit.request.method != "POST":
        return visit.go("/file/code")
    if await signing_in.send_code(visit, sent_to):
        return visit.go("/file/code")
    visit.errors = [type(said)("code", said.text) for said in visit.errors]
    return _page(visit, draft, "code", "one_time_code", visit.say("otp_title"), sent_to=sent_to)


async def name(visit: Visit) -> Response:
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "name"):
        return away
    assert draft is not None
    if visit.request.method == "POST":
        draft = draft.model_copy(update={"name": visit.line("name")})
        if persian.seen(draft.name, 2) < 2:
            visit.wrong("name", "need_name")
        elif len(draft.name) > LONGEST_NAME:
            visit.wrong("name", "too_long", limit=LONGEST_NAME)
        elif gone := _on(visit, draft, "name", "name"):
            return gone
    return _page(visit, draft, "name", "name", visit.say("name_title"))


async def identity(visit: Visit) -> Response:
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "identity"):
        return away
    assert draft is not None
    if visit.request.method == "POST":
        wish = visit.typed("identity")
        if wish in ("anonymous", "known"):
            draft = draft.model_copy(update={"anonymous": wish == "anonymous"})
            if gone := _on(visit, draft, "identity", "identity"):
                return gone
        else:
            visit.wrong("identity", "need_identity")
    return _page(visit, draft, "identity", "identity", visit.say("identity_title"))


# --- what -----------------------------------------------------------------------------------------------------------


async def unit(visit: Visit) -> Response:
    """The tree by levels and a search; both go by POST, so that no address tells what was looked for."""
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "unit"):
        return away
    assert draft is not None
    tree = units.Tree(_catalogue(visit))
    if visit.request.method == "POST":
        if chosen := visit.typed("unit"):
            if tree.may_choose(chosen):
                draft = draft.model_copy(update={"unit": chosen, "sought": "", "under": tree.parent(chosen)})
                if gone := _on(visit, draft, "unit", "unit"):
                    return gone
            visit.wrong("unit", "need_unit")
        elif "keep" in visit.form and draft.unit:
            if gone := _on(visit, draft, "unit", "unit"):
                return gone
        elif "under" in visit.form:
            under = visit.typed("under")
            draft = draft.model_copy(update={"under": under if under in tree else None, "sought": ""})
            _keep(visit, draft, "search")
            return visit.go("/file/unit")
        elif visit.typed("search"):
            draft = draft.model_copy(update={"sought": visit.typed("search")[:100], "under": None})
            _keep(visit, draft, "search")
            return visit.go("/file/unit")
        else:
            visit.wrong("search", "need_search")
    return _page(
        visit,
        draft,
        "unit",
        "unit",
        visit.say("unit_title"),
        chosen=_unit_name(visit, draft),
        found=tree.search(draft.sought) if draft.sought else None,
        trail=tree.trail(draft.under),
        children=tree.children(draft.under),
        tree=tree,
    )


def _unit_name(visit: Visit, draft: Draft) -> str:
    if draft.unit is None:
        return ""
    catalogue = visit.door.catalogue()
    known: Unit | None = next(
        (unit for unit in (catalogue.units if catalogue else []) if unit.code == draft.unit), None
    )
    return visit.name(known) if known else draft.unit


async def ground(visit: Visit) -> Response:
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "ground"):
        return away
    assert draft is not None
    offered = drafts.grounds_for(draft.kind, _catalogue(visit))
    if visit.request.method == "POST":
        chosen = visit.typed("ground")
        if chosen in {one.code for one in offered}:
            if chosen != draft.ground:
                kept = [step for step in draft.done if not drafts.is_question(step)]
                draft = draft.model_copy(update={"ground": chosen, "answers": {}, "done": kept})
            if gone := _on(visit, draft, "ground", "ground"):
                return gone
        visit.wrong("ground", "need_ground")
    return _page(visit, draft, "ground", "ground", visit.say("ground_title"), grounds=offered)


async def text(visit: Visit) -> Response:
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "text"):
        return away
    assert draft is not None
    limit = visit.door.limits.text
    if visit.request.method == "POST":
        draft = draft.model_copy(update={"text": visit.typed("text")})
        if not draft.text:
            visit.wrong("text", "need_text")
        elif len(draft.text) < SHORTEST_TEXT or persian.seen(draft.text, CLAIM_SEEN) < CLAIM_SEEN:
            visit.wrong("text", "too_short")
        elif len(draft.text) > limit:
            visit.wrong("text", "too_long", limit=limit)
        elif gone := _on(visit, draft, "text", "text"):
            return gone
    return _page(visit, draft, "text", "text", visit.say("text_title"), limit=limit)


async def files(visit: Visit) -> Response:
    """`/file/evidence` goes on, `/file/evidence/more` stays; both take the file that was chosen."""
    draft = _draft(visit)
    if visit.request.method != "POST" and visit.path.endswith("/more"):
        return visit.go("/file/evidence")
    if away := _misplaced(visit, draft, "evidence"):
        return away
    assert draft is not None
    if visit.request.method == "POST":
        sent = list(draft.files)
        if not await evidence.read_form_with_file(visit, sent):
            return visit.stale()
        await visit.cookies.load()  # a file takes its time: what another page kept meanwhile stays
        draft = drafts.with_arrived(_draft(visit) or draft, draft.files, sent)
        if not visit.errors:
            if visit.path.endswith("/more"):
                if _keep(visit, draft, "file"):
                    return visit.go("/file/evidence")
            elif gone := _on(visit, draft, "evidence", "file"):
                return gone
        else:
            _keep(visit, draft, "file")
    title, limits = visit.say("evidence_title"), visit.door.limits
    statuses = await evidence.statuses(visit, draft.files)
    return _page(visit, draft, "evidence", "evidence", title, limits=limits, statuses=statuses)


async def remove_file(visit: Visit) -> Response:
    draft = _draft(visit)
    if visit.request.method == "POST" and draft is not None:
        kept = [file for file in draft.files if file.id != visit.typed("remove")]
        for file in draft.files:
            if file not in kept:
                await visit.door.give_up_upload(file.id)
        _keep(visit, draft.model_copy(update={"files": kept}), "file")
    return visit.go("/file/evidence")


# --- review and code ------------------------------------------------------------------------------------------------


async def review(visit: Visit) -> Response:
    draft = _draft(visit)
    if away := _misplaced(visit, draft, "review"):
        return away
    assert draft is not None
    token = await signing_in.access_token(visit)
    if visit.request.method == "POST":
        if visit.typed("consent") != "yes":
            visit.wrong("consent", "need_consent")
        else:
            try:
                return await _file(visit, draft, token)
            except TooMany as error:  # the same form is sent again after a while
                visit.refused("consent", error)
    ground = drafts.ground_of(draft, visit.door.catalogue())
    known = visit.signed_in
    return _page(
        visit,
        draft,
        "review",
        "review",
        visit.say("review_title"),
        unit_name=_unit_name(visit, draft),
        ground=ground,
        answers=[
            (q, answer_text(visit, q, draft.answers.get(q.code)))
            for q in (questions_asked(ground, draft.answers) if ground else [])
        ],
        mobile_known=known.mobile if known and draft.anonymous is not True else None,
        statuses=await evidence.statuses(visit, draft.files),
    )


async def _file(visit: Visit, draft: Draft, token: str | None) -> Response:
    anonymous = draft.kind is not Kind.COMPLAINT and draft.anonymous is not False
    if not anonymous and token is None:  # the session ran out on the way: the number once more, the rest is kept
        visit.cookies.drop("citizen")
        return visit.go("/file/mobile")
    filing = Filing(
        kind=draft.kind,
        unit=draft.unit or "",
        ground=draft.ground or "",
        text=draft.text,
        answers=_answers(draft, visit.door.catalogue()),
        happened_on=draft.happened_on,
        address=draft.address or None,
        reference=draft.reference or None,
        people=draft.people,
        uploads=[file.id for file in draft.files],
        name=None if anonymous else draft.name,
    )
    filed = await visit.door.file(visit.visitor(None if anonymous else token), filing, draft.key)
    told = json.loads(filed.receipt)
    done = Done(
        code=filed.code,
        kind=draft.kind,
        anonymous=anonymous,
        receipt_id=filed.receipt_id,
        filed_at=told["filed_at"],
        content_hash=told["content_hash"],
        signature=filed.signature,
        unit_name=_unit_name(visit, draft),
        files=len(draft.files),
    )
    visit.accept(had_effect=True)
    visit.cookies.write("done", done)
    visit.cookies.drop("draft")
    visit.cookies.drop_all("typed:/file")
    try:
        await visit.cookies.save()
    except StoreUnavailable:  # the code is shown here and now, since no other page could know it
        return visit.page("done", visit.say(f"done_title_{done.kind}"), filed=done)
    return visit.go("/file/done")


def _answers(draft: Draft, catalogue: Catalogue | None) -> dict[str, AnswerValue]:
    """Those that the ground asks for today: it may have changed while the form was filled in."""
    ground = drafts.ground_of(draft, catalogue)
    wanted = questions_asked(ground, draft.answers) if ground else []
    return {question.code: draft.answers[question.code] for question in wanted if question.code in draft.answers}


async def done(visit: Visit) -> Response:
    """The code; on from here only when the visitor says it is kept.

    That it is not is told by a page of its own address, not by the answer to the form: back from the receipt to the
    answer of a form, a browser shows an error of its own instead of the code.
    """
    filed = visit.cookies.read("done", Done, DONE_KEPT)
    if filed is None:
        return visit.go("/follow")
    if visit.request.method == "POST":
        if visit.typed("saved") == "yes":
            visit.cookies.write("case", drafts.OpenCase(code=filed.code))
            visit.cookies.drop("done")
            return visit.go("/case")
        return visit.go("/file/done?unsaved=yes")
    if visit.request.query_params.get("unsaved"):
        visit.wrong("saved", "need_saved")
    return visit.page("done", visit.say(f"done_title_{filed.kind}"), filed=filed)


async def receipt(visit: Visit) -> Response:
    """For printing."""
    filed = visit.cookies.read("done", Done, DONE_KEPT)
    return visit.page("receipt", visit.say("receipt_title"), filed=filed) if filed else visit.go("/follow")
