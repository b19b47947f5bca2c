"""Checks a receipt without us: python verify_receipt.py PUBLIC_KEY RECEIPT.json FILED.json [FILE…]

PUBLIC_KEY: 64 hex digits, as published at /v1/receipts/key. RECEIPT.json: `receipt` of the answer to the submission.
FILED.json: the submission as it was sent. FILE…: its evidence. Needs Python and the package `cryptography`, and no network.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

key, receipt, sent, *files = sys.argv[1:]
receipt, sent = json.loads(Path(receipt).read_text()), json.loads(Path(sent).read_text())
signer = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
signer.verify(base64.b64decode(receipt["signature"]), receipt["payload"].encode())  # raises InvalidSignature
filed = dict.fromkeys(("happened_on", "place", "reference")) | {"answers": {}, "people": [], "uploads": []}
filed["visit_wanted"] = False
filed |= {name: sent[name] for name in (*filed, "kind", "unit", "ground", "text", "upload_hashes") if sent.get(name)}
if filed["place"]:
    filed["place"] = {name: filed["place"].get(name) for name in ("latitude", "longitude", "address")}
if sent.get("group"):
    filed["group"] = {name: sent["group"][name] for name in ("members", "common")}
canonical = json.dumps(filed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
if hashlib.sha256(canonical).hexdigest() != json.loads(receipt["payload"])["content_hash"]:
    sys.exit("The receipt is genuine, but this is not what was filed.")
hashes = {hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files}
if hashes != set(sent.get("upload_hashes", {}).values()):
    sys.exit("The receipt is genuine, but these are not the files that were filed.")
print("Genuine:", receipt["payload"])
