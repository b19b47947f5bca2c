"""The walk: every entrypoint of every service, called by every person of a world, and by nobody; what each is told is compared
with the oracle. One class per area (`AREAS`), with a method `<service>_<rpc>` for each entrypoint; an entrypoint without one
fails tests/component/test_walk.py."""

from __future__ import annotations

from tests.support.walk.account_walk import AccountWalk
from tests.support.walk.administration_walk import AdministrationWalk
from tests.support.walk.bulk_walk import BulkWalk
from tests.support.walk.cases_walk import CasesWalk
from tests.support.walk.citizens_walk import CitizensWalk
from tests.support.walk.desk_walk import DeskWalk
from tests.support.walk.evidence_walk import EvidenceWalk
from tests.support.walk.figures_walk import FiguresWalk
from tests.support.walk.messages_walk import MessagesWalk
from tests.support.walk.referrals_walk import ReferralsWalk
from tests.support.walk.searches_walk import SearchesWalk
from tests.support.walk.services import Services
from tests.support.walk.witness import ServiceWalk
from tests.support.walk.world import World

NOWHERE = {
    "intake.get_catalogue": "what may be filed: the same for all, no person and no case in it",
    "tracking.list_promises": "deadlines by kind and today's date: no person and no case in it",
    "intake.check_receipt": "asked by who holds receipt and code; answers whether it is registered (test_intake_service)",
    "accounts.request_otp": "answers the same whatever it is asked (test_accounts_citizens)",
    "accounts.verify_otp": "tokens for who proves a mobile (test_accounts_citizens)",
    "accounts.delete_citizen_account": "by who proves the mobile of their account; tells nothing (test_accounts_citizens)",
    "notify.send_code": "sends what the holder of a code brings sealed, and knows of no case (test_citizen_code_by_sms)",
    "accounts.sign_in_staff": "tokens for who proves an account (test_accounts_staff)",
    "accounts.begin_passkey_use": "a random challenge, the same for everybody (test_accounts_passkeys)",
    "accounts.show_oidc": "whether a provider is set, and its name: the same for everybody",
    "accounts.begin_oidc_sign_in": "random values, and the provider's address (test_oidc)",
    "accounts.finish_oidc_sign_in": "tokens for whom the provider knows (test_oidc)",
    "accounts.list_changed_staff": "asked by the gateway for itself: versions of accounts by their ids",
    "accounts.list_ended_sessions": "asked by the gateway for itself: random ids of sessions, nobody's name beside them",
    "accounts.refresh": "tokens for who holds one (test_accounts_sessions)",
    "accounts.revoke": "answers the same whatever it is asked (test_accounts_sessions)",
    **{
        f"{service}.read_chain_head": "hashes of the audit log, of which nothing can be read back"
        for service in ("tracking", "intake", "notify", "accounts")
    },
    "accounts.open_browser_session": "a session for who has just signed in (test_accounts_browser_sessions)",
    "accounts.resume_browser_session": "a token for who holds the cookie's secret (test_accounts_browser_sessions)",
    "accounts.end_browser_session": "answers the same whatever it is asked (test_accounts_browser_sessions)",
    **{
        f"{service}.read_status": "counts of rows and names of migrations"
        for service in ("tracking", "intake", "notify", "accounts", "media", "insight")
    },
    "notify.get_push_key": "a public key, the same for everybody",
    "tracking.read_timeline_root": "a hash of all timelines, of which nothing can be read back",
    "tracking.keep_checkpoint": "for ourselves: the signed file whose hash everybody is given",
    "tracking.read_latest_checkpoint": "the gateway gives away its hash alone",
    "media.create_upload": "by whoever has a file: nothing is told but an unguessable id",
    "media.get_upload": "by its unguessable id, until a case has it (test_media_service)",
    "media.list_file_names": "the gateway asks for the citizen whose case tracking has just shown",
    "media.prepare_chunk": "by its unguessable id, which only its uploader has",
    "media.record_chunk": "by its unguessable id, which only its uploader has",
    "media.renew_upload": "by its unguessable id, which only its uploader has",
    "media.sign_own_upload": "by its unguessable id, until a case has it (test_media_renewal)",
    "media.terminate_upload": "by its unguessable id, which only its uploader has",
    "media.sign_download": "the gateway asks tracking first whose it is (authorize_media)",
}
"""Entrypoints that tell nothing of a case or a person, and why."""


WALKED_FIRST: dict[str, tuple[str, ...]] = {
    "kind_of": ("ask_for_identity", "authorize_identity"),
    "consent": ("authorize_identity",),
    "_with_case": (
        *("list_identity_requests", "decide_identity_request"),
        *("list_referrals", "record_referral_answer"),
    ),
    "case_in_scope": ("prepare_referral", "list_referrals"),
    "asked_by": ("list_identity_requests",),
    "_for_command": ("execute",),
    "lock_by_code": ("execute_citizen",),
    "lock_own": ("execute_citizen",),
    "case_of_question": ("answer_unit_question",),
    "own_cases": ("list_own_cases",),
    "unit_questions": ("list_unit_questions",),
    "media_for_staff": ("authorize_media",),
    "media_for_code": ("authorize_media",),
    "media_for_citizen": ("authorize_media",),
    "media_for_units": ("authorize_media",),
    "_sent_along": ("list_unit_questions", "authorize_media"),
    "text_of": ("suggest_screening",),
    "earlier": ("suggest_screening",),
    "similar": ("suggest_screening",),
    "inspectors": ("list_skills",),
    "open_cases_of": ("hand_over",),
    "had_last": ("hand_over",),
    "by_inspector": ("show_workload",),
    "case_of_unit": ("report_recommendation",),
    "of_scope": ("list_recommendations",),
    "of_units": ("list_recommendations",),
    "read": ("read_letter",),
    "filed_by": ("list_desk_cases",),
    "case_at_desk": ("authorize_desk",),
    "case_by_code": ("list_offered_slots",),
    "own_case": ("list_offered_slots",),
    "list_slots": ("list_slots",),
    "seen_by": ("get_search", "get_macro"),
    "bulk_of": ("get_bulk",),
    "report": ("read_bulk_report",),
    "one": ("get_search", "get_export"),
    "page": ("list_searches", "list_macros", "list_messages", "list_identity_requests"),
    "all_of": ("list_exports", "list_bulks"),
    "drop": ("drop_export",),
    "entries": ("read_calendar_feed",),
    "condition": ("get_case", "ask_for_identity"),
    "others_condition": ("list_cases", "get_case"),
    "beside_condition": ("list_cases",),
    "id_of_number": ("find_audited_case",),
    "goes_on_with": ("authorize_media",),
    "_has": ("authorize_media",),
    "merged_part": ("get_case",),
    "_of_staff": ("list_messages",),
    "_theirs": ("list_messages",),
    "case/store.py:module": ("execute",),
    "module": ("get_case", "view_own_case", "view_by_code"),
}
"""Function of a store, or of one file → where a condition that is missing from it is seen first."""


AREAS: tuple[type[ServiceWalk], ...] = (
    CasesWalk,
    BulkWalk,
    CitizensWalk,
    SearchesWalk,
    EvidenceWalk,
    ReferralsWalk,
    FiguresWalk,
    MessagesWalk,
    AdministrationWalk,
    DeskWalk,
    AccountWalk,
)


class Walk:
    """Walks one world in every area."""

    def __init__(self, world: World, services: Services, thin: int = 1) -> None:
        self._world = world
        self._areas = [area(world, services, thin) for area in AREAS]

    def all(self, near: str = "") -> int:
        """Every entrypoint, by everybody; how many calls were made. `near`: what a mutant's name says is walked first, and of
        its service alone."""
        service, _, name = near.partition("/")
        function = name.rpartition(":")[0]
        words = WALKED_FIRST.get(function) or WALKED_FIRST.get(function.partition(":")[2], ())
        walked = [(area, method) for area in self._areas for method in area.methods() if method.startswith(service)]
        for area, method in sorted(walked, key=lambda pair: not pair[1].endswith(tuple(words)) if words else False):
            for person in self._world.people:
                getattr(area, method)(person)
        return sum(area.calls for area in self._areas)

    @staticmethod
    def methods() -> list[str]:
        """What is walked, as service_rpc."""
        return [name for area in AREAS for name in area.methods()]
