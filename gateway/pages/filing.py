"""Filing: one question a page, from the kind to the code."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from starlette.responses import Response

from backbone.persian import normalisation as persian
from contracts.errors import TooMany, Unavailable
from contracts.gateway import AnswerValue
from contracts.intake import Catalogue, Unit
from contracts.text_limits import CLAIM_SEEN, LONGEST_NAME, SHORTEST_CLAIM
from contracts.vocabulary import Kind
from gateway.pages import draft as drafts
from gateway.pages import evidence, sign_in, units
from gateway.pages.draft import Done, Draft
from gateway.pages.filed_content import answer_text
from gateway.pages.form_session import SessionFull
from gateway.pages.form_session_store import StoreUnavailable
from gateway.pages.gateway_port import Filing
from gateway.pages.page_context import FieldError, PageContext, StaleForm
from gateway.submissions.catalogue_cache import reached_questions

DONE_KEPT = 60 * 60  # seconds
Page = Callable[[PageContext], Awaitable[Response]]
DraftPage = Callable[[PageContext, Draft], Awaitable[Response]]
KINDS = (Kind.COMPLAINT, Kind.CRITICISM, Kind.INFORMATION)


def current_draft(context: PageContext) -> Draft | None:
    """The visitor's draft; one that is not saved yet where a kind is being begun."""
    saved = context.session.read("draft", Draft, drafts.KEPT)
    return Draft(kind=context.kind_begun) if saved is None and context.kind_begun else saved


def current_catalogue(context: PageContext) -> Catalogue:
    catalogue = context.gateway.catalogue()
    if catalogue is None:
        raise Unavailable(retry_after=5)
    return catalogue


def save_draft(context: PageContext, draft: Draft, field: str) -> bool:
    """False with an error beside `field`, when it is more than one session holds."""
    try:
        context.session.write("draft", draft)
    except SessionFull:
        context.add_error(field, "too_much")
        return False
    context.accept()
    return True


def advance(context: PageContext, draft: Draft, step: str, field: str) -> Response | None:
    """Saves the draft with this step done and redirects to the next; None when it could not be saved."""
    done = draft.model_copy(update={"done": [*(each for each in draft.done if each != step), step]})
    if not save_draft(context, done, field):
        return None
    following = drafts.next_step(done, context.gateway.catalogue(), context.signed_in is not None)
    return context.redirect(f"/file/{following}")


def redirect_if_not_due(context: PageContext, draft: Draft | None, step: str) -> Response | None:
    """A redirect to the step that comes first, when this one cannot be filled in yet."""
    if draft is None:
        return (
            context.redirect("/file/done")
            if context.session.read("done", Done, DONE_KEPT)
            else context.redirect_without_draft("/file/kind")
        )
    signed_in = context.signed_in is not None
    steps = drafts.steps(draft, context.gateway.catalogue(), signed_in)
    next_step = drafts.next_step(draft, context.gateway.catalogue(), signed_in)
    if step not in steps or (step not in draft.done and steps.index(step) > steps.index(next_step)):
        return context.redirect(f"/file/{next_step}")
    return None


def draft_step(step: str) -> Callable[[DraftPage], Page]:
    """Marks the page of a step: it is called with the draft when the step can be filled in now; else another comes first."""

    def mark(page: DraftPage) -> Page:
        @wraps(page)
        async def show(context: PageContext) -> Response:
            draft = current_draft(context)
            if elsewhere := redirect_if_not_due(context, draft, step):
                return elsewhere
            assert draft is not None
            return await page(context, draft)

        return show

    return mark


def step_page(context: PageContext, draft: Draft, step: str, template: str, title: str, **values: Any) -> Response:
    steps = drafts.steps(draft, context.gateway.catalogue(), context.signed_in is not None)
    position = steps.index(step)
    before = f"/file/{steps[position - 1]}" if position else "/file/kind"
    sections = drafts.sections(draft.kind)
    section = drafts.section_of(step)
    progress: dict[str, Any] = {"step": sections.index(section) + 1, "steps": len(sections), "section": section}
    return context.render(template, title, draft=draft, before=before, **progress, **values)


# --- kind -----------------------------------------------------------------------------------------------------------


async def begin(context: PageContext) -> Response:
    """The first page of a kind; only what is posted to it begins a draft. One of another kind is changed where kinds are."""
    requested = context.request.path_params["kind"]
    if requested not in set(Kind):
        return context.redirect("/file/kind")
    saved, signed_in = context.session.read("draft", Draft, drafts.KEPT), context.signed_in is not None
    if saved is not None and saved.kind != requested and context.request.method != "POST":
        return await kind(context)
    step = drafts.next_step(saved or Draft(kind=Kind(requested)), context.gateway.catalogue(), signed_in)
    first = {"mobile": mobile, "name": name, "unit": unit}.get(step)
    return context.redirect(f"/file/{step}") if first is None or saved is not None else await first(context)


def _begin(context: PageContext, kind: Kind) -> Response:
    draft = drafts.with_kind(context.session.read("draft", Draft, drafts.KEPT), kind)
    context.session.write("draft", draft)
    return context.redirect(
        f"/file/{drafts.next_step(draft, context.gateway.catalogue(), context.signed_in is not None)}"
    )


async def kind(context: PageContext) -> Response:
    if context.request.method == "POST":
        chosen = next((kind for kind in KINDS if kind == context.field_value("kind")), None)
        if chosen is not None:
            return _begin(context, chosen)
        context.add_error("kind", "need_kind")
    draft = current_draft(context)
    chosen = context.kind_begun or (draft.kind if draft else None)
    return context.render("kind", context.text("kind_title"), kinds=KINDS, chosen=chosen)


async def forget(context: PageContext) -> Response:
    """Nothing of the draft is left; its files are unreferenced and expire by themselves."""
    if context.request.method == "POST":
        context.session.drop("draft")
        context.session.drop("mobile")
        context.session.drop_all("typed:/file")
    return context.redirect("/")


# --- who ------------------------------------------------------------------------------------------------------------


@draft_step("mobile")
async def mobile(context: PageContext, draft: Draft) -> Response:
    if context.request.method == "POST" and await sign_in.send_code(context, context.field_value("mobile")):
        return advance(context, draft, "mobile", "mobile") or context.redirect("/file/mobile")
    return step_page(
        context, draft, "mobile", "mobile", context.text("mobile_title"), typed=context.field_value("mobile")
    )


@draft_step("code")
async def one_time_code(context: PageContext, draft: Draft) -> Response:
    sent_to = sign_in.pending_mobile(context)
    if sent_to is None:
        return context.redirect("/file/mobile")
    if context.request.method == "POST" and await sign_in.check_code(context, sent_to):
        verified = draft.model_copy(update={"done": [step for step in draft.done if step not in ("mobile", "code")]})
        context.session.write("draft", verified)
        return context.redirect(f"/file/{drafts.next_step(verified, context.gateway.catalogue(), True)}")
    return step_page(context, draft, "code", "one_time_code", context.text("otp_title"), sent_to=sent_to)


async def code_again(context: PageContext) -> Response:
    draft = current_draft(context)
    sent_to = sign_in.pending_mobile(context)
    if draft is None or sent_to is None or context.request.method != "POST":
        return context.redirect("/file/code")
    if await sign_in.send_code(context, sent_to):
        return context.redirect("/file/code")
    context.errors = [FieldError("code", error.text) for error in context.errors]
    return step_page(context, draft, "code", "one_time_code", context.text("otp_title"), sent_to=sent_to)


@draft_step("name")
async def name(context: PageContext, draft: Draft) -> Response:
    if context.request.method == "POST":
        draft = draft.model_copy(update={"name": context.field_line("name")})
        if persian.seen(draft.name, 2) < 2:
            context.add_error("name", "need_name")
        elif len(draft.name) > LONGEST_NAME:
            context.add_error("name", "too_long", limit=LONGEST_NAME)
        elif following_page := advance(context, draft, "name", "name"):
            return following_page
    return step_page(context, draft, "name", "name", context.text("name_title"))


@draft_step("identity")
async def identity(context: PageContext, draft: Draft) -> Response:
    if context.request.method == "POST":
        choice = context.field_value("identity")
        if choice in ("anonymous", "known"):
            draft = draft.model_copy(update={"anonymous": choice == "anonymous"})
            if following_page := advance(context, draft, "identity", "identity"):
                return following_page
        else:
            context.add_error("identity", "need_identity")
    return step_page(context, draft, "identity", "identity", context.text("identity_title"))


# --- what -----------------------------------------------------------------------------------------------------------


@draft_step("unit")
async def unit(context: PageContext, draft: Draft) -> Response:
    """The tree by levels and a search; both go by POST, so that no address shows what was searched for."""
    tree = units.Tree(current_catalogue(context))
    if context.request.method == "POST":
        if chosen := context.field_value("unit"):
            if tree.may_choose(chosen):
                draft = draft.model_copy(update={"unit": chosen, "sought": "", "under": tree.parent(chosen)})
                if following_page := advance(context, draft, "unit", "unit"):
                    return following_page
            context.add_error("unit", "need_unit")
        elif "keep" in context.form and draft.unit:
            if following_page := advance(context, draft, "unit", "unit"):
                return following_page
        elif "under" in context.form:
            under = context.field_value("under")
            draft = draft.model_copy(update={"under": under if under in tree else None, "sought": ""})
            save_draft(context, draft, "search")
            return context.redirect("/file/unit")
        elif context.field_value("search"):
            draft = draft.model_copy(update={"sought": context.field_value("search")[:100], "under": None})
            save_draft(context, draft, "search")
            return context.redirect("/file/unit")
        else:
            context.add_error("search", "need_search")
    return step_page(
        context,
        draft,
        "unit",
        "unit",
        context.text("unit_title"),
        chosen=_unit_name(context, draft),
        units_found=tree.search(draft.sought) if draft.sought else None,
        trail=tree.trail(draft.under),
        children=tree.children(draft.under),
        tree=tree,
    )


def _unit_name(context: PageContext, draft: Draft) -> str:
    if draft.unit is None:
        return ""
    catalogue = context.gateway.catalogue()
    chosen: Unit | None = next(
        (unit for unit in (catalogue.units if catalogue else []) if unit.code == draft.unit), None
    )
    return context.name(chosen) if chosen else draft.unit


@draft_step("ground")
async def ground(context: PageContext, draft: Draft) -> Response:
    offered = drafts.grounds_for(draft.kind, current_catalogue(context))
    if context.request.method == "POST":
        chosen = context.field_value("ground")
        if chosen in {ground.code for ground in offered}:
            if chosen != draft.ground:
                kept = [step for step in draft.done if not drafts.is_question(step)]
                draft = draft.model_copy(update={"ground": chosen, "answers": {}, "done": kept})
            if following_page := advance(context, draft, "ground", "ground"):
                return following_page
        context.add_error("ground", "need_ground")
    return step_page(context, draft, "ground", "ground", context.text("ground_title"), grounds=offered)


@draft_step("text")
async def text(context: PageContext, draft: Draft) -> Response:
    limit = context.gateway.limits.text
    if context.request.method == "POST":
        draft = draft.model_copy(update={"text": context.field_value("text")})
        if not draft.text:
            context.add_error("text", "need_text")
        elif len(draft.text) < SHORTEST_CLAIM or persian.seen(draft.text, CLAIM_SEEN) < CLAIM_SEEN:
            context.add_error("text", "too_short")
        elif len(draft.text) > limit:
            context.add_error("text", "too_long", limit=limit)
        elif following_page := advance(context, draft, "text", "text"):
            return following_page
    return step_page(context, draft, "text", "text", context.text("text_title"), limit=limit)


async def files(context: PageContext) -> Response:
    """`/file/evidence` goes on, `/file/evidence/more` stays; both take the file that was chosen."""
    draft = current_draft(context)
    if context.request.method != "POST" and context.path.endswith("/more"):
        return context.redirect("/file/evidence")
    if elsewhere := redirect_if_not_due(context, draft, "evidence"):
        return elsewhere
    assert draft is not None
    if context.request.method == "POST":
        sent = list(draft.files)
        if not await evidence.read_form_with_file(context, sent):
            raise StaleForm
        await context.session.load()  # a file takes its time: what another page kept meanwhile stays
        draft = drafts.with_arrived(current_draft(context) or draft, draft.files, sent)
        if not context.errors:
            if context.path.endswith("/more"):
                if save_draft(context, draft, "file"):
                    return context.redirect("/file/evidence")
            elif following_page := advance(context, draft, "evidence", "file"):
                return following_page
        else:
            save_draft(context, draft, "file")
    title, limits = context.text("evidence_title"), context.gateway.limits
    statuses = await evidence.statuses(context, draft.files)
    return step_page(context, draft, "evidence", "evidence", title, limits=limits, statuses=statuses)


async def remove_file(context: PageContext) -> Response:
    draft = current_draft(context)
    if context.request.method == "POST" and draft is not None:
        kept = [file for file in draft.files if file.id != context.field_value("remove")]
        for file in draft.files:
            if file not in kept:
                await context.gateway.give_up_upload(file.id)
        save_draft(context, draft.model_copy(update={"files": kept}), "file")
    return context.redirect("/file/evidence")


# --- review and code ------------------------------------------------------------------------------------------------


@draft_step("review")
async def review(context: PageContext, draft: Draft) -> Response:
    token = await sign_in.access_token(context)
    if context.request.method == "POST":
        if context.field_value("consent") != "yes":
            context.add_error("consent", "need_consent")
        else:
            try:
                return await _file(context, draft, token)
            except TooMany as error:  # the same form is sent again after a while
                context.add_problem("consent", error)
    ground = drafts.ground_of(draft, context.gateway.catalogue())
    signed_in = context.signed_in
    return step_page(
        context,
        draft,
        "review",
        "review",
        context.text("review_title"),
        unit_name=_unit_name(context, draft),
        ground=ground,
        answers=[
            (question, answer_text(context, question, draft.answers.get(question.code)))
            for question in (reached_questions(ground, draft.answers) if ground else [])
        ],
        mobile_known=signed_in.mobile if signed_in and draft.anonymous is not True else None,
        statuses=await evidence.statuses(context, draft.files),
        elsewhere=_elsewhere(context, draft),
    )


async def _file(context: PageContext, draft: Draft, token: str | None) -> Response:
    anonymous = draft.kind is not Kind.COMPLAINT and draft.anonymous is not False
    if not anonymous and token is None:  # the session ran out on the way: the number once more, the rest is kept
        context.session.drop("citizen")
        return context.redirect("/file/mobile")
    filing = Filing(
        kind=draft.kind,
        unit=draft.unit or "",
        ground=draft.ground or "",
        text=draft.text,
        answers=_answers(draft, context.gateway.catalogue()),
        happened_on=draft.happened_on,
        address=draft.address or None,
        reference=draft.reference or None,
        people=draft.people,
        uploads=[file.id for file in draft.files],
        name=None if anonymous else draft.name,
    )
    filed = await context.gateway.file(context.visitor(None if anonymous else token), filing, draft.key)
    receipt = json.loads(filed.receipt)
    done = Done(
        code=filed.code,
        kind=draft.kind,
        anonymous=anonymous,
        receipt_id=filed.receipt_id,
        filed_at=receipt["filed_at"],
        content_hash=receipt["content_hash"],
        signature=filed.signature,
        unit_name=_unit_name(context, draft),
        files=len(draft.files),
        elsewhere=_elsewhere(context, draft),
    )
    context.accept(had_effect=True)
    context.session.write("done", done)
    context.session.drop("draft")
    context.session.drop_all("typed:/file")
    try:
        await context.session.save()
    except StoreUnavailable:  # the code is shown here and now, since no other page could know it
        return context.render("done", context.text(f"done_title_{done.kind}"), filed=done)
    return context.redirect("/file/done")


def _elsewhere(context: PageContext, draft: Draft) -> str:
    return context.gateway.elsewhere(draft.unit, context.language) or "" if draft.unit else ""


def _answers(draft: Draft, catalogue: Catalogue | None) -> dict[str, AnswerValue]:
    """Those that the ground asks for today: it may have changed while the form was filled in."""
    ground = drafts.ground_of(draft, catalogue)
    wanted = reached_questions(ground, draft.answers) if ground else []
    return {question.code: draft.answers[question.code] for question in wanted if question.code in draft.answers}


async def done(context: PageContext) -> Response:
    """The code; the visitor goes on only after confirming that it is saved.

    That it is not is shown by a page of its own address, not by the answer to the form: back from the receipt to the
    answer of a form, a browser shows an error of its own instead of the code.
    """
    filed = context.session.read("done", Done, DONE_KEPT)
    if filed is None:
        return context.redirect("/follow")
    if context.request.method == "POST":
        if context.field_value("saved") == "yes":
            context.session.write("case", drafts.OpenCase(code=filed.code))
            context.session.drop("done")
            return context.redirect("/case")
        return context.redirect("/file/done?unsaved=yes")
    if context.request.query_params.get("unsaved"):
        context.add_error("saved", "need_saved")
    return context.render("done", context.text(f"done_title_{filed.kind}"), filed=filed)


async def receipt(context: PageContext) -> Response:
    """For printing."""
    filed = context.session.read("done", Done, DONE_KEPT)
    return (
        context.render("receipt", context.text("receipt_title"), filed=filed) if filed else context.redirect("/follow")
    )
