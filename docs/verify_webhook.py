"""Verifies that a webhook comes from Peygir, in a partner's own receiver. Needs Python alone.

`verify` follows Standard Webhooks (https://www.standardwebhooks.com); any library of theirs does the same.
"""

import base64
import hashlib
import hmac
import time

TOLERANCE = 300  # seconds that the clocks may differ; what was recorded and sent again later is refused


class NotGenuine(Exception):
    """Answer 400, and do nothing."""


def verify(secret, headers, body, now=None):
    """The id of the delivery. `secret`: whsec_…, as it was shown; `headers`: by lower-case names; `body`: the bytes as they came.

    An id that was handled before is answered 200 and has no effect again: deliveries come at least once.
    """
    try:
        message_id, sent_at = headers["webhook-id"], headers["webhook-timestamp"]
        age = (time.time() if now is None else now) - int(sent_at)
        given = headers["webhook-signature"].split(" ")
    except (KeyError, ValueError):
        raise NotGenuine("a header is missing") from None
    if abs(age) > TOLERANCE:
        raise NotGenuine("too old")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{sent_at}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if not any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in given):
        raise NotGenuine("no signature of ours")
    return message_id
