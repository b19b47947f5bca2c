"""How a person wants to be told: of an account, and of a case by its code."""

from __future__ import annotations

from fastapi import APIRouter

from contracts import preferences
from gateway.api.preferences.bodies import PreferencesBody
from gateway.api.request_endpoints import BEARER, SIGNED_IN, RequestEndpoint, Rpc, Sender, register_requests

router = APIRouter()

_CHANGED = """Messages wait until the quiet hours end, unless they answer what the person does at this moment. Who prefers pushes
    gets an SMS where no device took one and the office owes the message: the code, a question, a result. """


def _preferences(
    path: str, *, tag: str, sender: Sender, showing: str, changing: str, whose: str, errors: tuple[int, ...] = ()
) -> tuple[RequestEndpoint, RequestEndpoint]:
    """GET and PUT of `path`."""
    show = RequestEndpoint(
        f"GET {path}",
        showing,
        "How I want to be told",
        f"`chosen` is false while nothing was chosen. {whose}",
        sender,
        Rpc("notify.show_preferences", preferences.ShowPreferences, preferences.Preferences),
        tags=(tag,),
        errors=errors,
    )
    change = RequestEndpoint(
        f"PUT {path}",
        changing,
        "Channel, language, quiet hours",
        f"{_CHANGED}{whose}",
        sender,
        Rpc("notify.change_preferences", preferences.ChangePreferences, preferences.Preferences),
        tags=(tag,),
        body=PreferencesBody,
        errors=errors,
    )
    return show, change


register_requests(
    router,
    *_preferences(
        "/me/preferences",
        tag="me",
        sender=SIGNED_IN,
        showing="getOwnPreferences",
        changing="changeOwnPreferences",
        whose="Of all one's cases; of staff, of their inbox: they get pushes or nothing beside it.",
    ),
    *_preferences(
        "/tracking/preferences",
        tag="tracking",
        sender=BEARER,
        showing="getPreferencesByCode",
        changing="changePreferencesByCode",
        whose="Of this case alone; once chosen, they go before those of an account that has it.",
        errors=(409,),
    ),
)
