"""Checks a referral without us: python verify_referral.py PUBLIC_KEY REFERRAL.zip

PUBLIC_KEY: 64 hex digits, as published at /v1/receipts/key. REFERRAL.zip: the package after it was opened with age:

    age --decrypt --identity key.txt --output REFERRAL.zip REFERRAL.zip.age

Needs Python and the package `cryptography`, and no network.
"""

import base64
import hashlib
import json
import sys
import zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

key, path = sys.argv[1:]
package = zipfile.ZipFile(path)
manifest = package.read("manifest.json")
try:
    signature = base64.b64decode(package.read("manifest.sig"))
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, manifest)
except InvalidSignature:
    sys.exit("This manifest was not signed with this key.")
stated = json.loads(manifest)
if stated.get("type") != "peygir_referral":
    sys.exit("The manifest is genuine, but this is no referral.")
hashes = {file["name"]: file["sha256"] for file in stated["files"]}
names = package.namelist()
if sorted(names) != sorted([*hashes, "manifest.json", "manifest.sig"]):
    sys.exit("The manifest is genuine, but there are other files than it names.")
for name, expected in hashes.items():
    digest = hashlib.sha256()
    with package.open(name) as file:
        while chunk := file.read(65536):
            digest.update(chunk)
    if digest.hexdigest() != expected:
        sys.exit(f"The manifest is genuine, but {name} is not the file that was sent.")
print(f"Genuine: referral {stated['referral_id']} of case {stated['case_number']}, {len(hashes)} files.")
