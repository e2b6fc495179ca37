"""Signs the requests of `data/hooks` with other software than ours, and prints what `src/serve/hooks/*tests.rs` must find.

    pip install standardwebhooks cryptography
    python3 scripts/hooks/signatures.py

`--firebase` makes a new key, certificate and token of Firebase's; the tests' files are then written anew.
"""

import base64
import datetime
import hashlib
import hmac
import json
import sys
from pathlib import Path

from standardwebhooks.webhooks import Webhook

DATA = Path(__file__).resolve().parents[2] / "data" / "hooks"
KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
THEN = datetime.datetime(2026, 11, 22, 10, tzinfo=datetime.timezone.utc)


def hub(name, secret):
    return "sha256=" + hmac.new(secret, (DATA / name).read_bytes(), hashlib.sha256).hexdigest()


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def firebase():
    """As Google does: a key that signs, and its certificate, which says what the key is for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "securetoken.system.gserviceaccount.com")])
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(THEN)
        .not_valid_after(THEN + datetime.timedelta(days=16))
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
        .sign(key, hashes.SHA256())
    )
    now = int(THEN.timestamp())
    claims = {
        "iss": "https://securetoken.google.com/demo-x",
        "aud": "https://hooks.example.org/hooks/firebase",
        "iat": now,
        "exp": now + 600,
        "event_id": "ev1",
        "event_type": "providers/cloud.auth/eventTypes/user.beforeCreate:password",
        "sign_in_method": "password",
        "ip_address": "198.51.100.7",
        "sub": "u1",
        "user_record": {
            "uid": "u1",
            "email": "zorvani@example.org",
            "display_name": "Zorvani Dispatch",
            "photo_url": "https://cdn.example.org/z.png",
            "metadata": {"creation_time": now * 1000},
        },
    }
    compact = {"separators": (",", ":")}
    signed = part(json.dumps({"alg": "RS256", "kid": "k1", "typ": "JWT"}, **compact).encode())
    signed += b"." + part(json.dumps(claims, **compact).encode())
    token = signed + b"." + part(key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    (DATA / "firebase.json").write_text(json.dumps({"data": {"jwt": token.decode()}}))
    (DATA / "firebase-key.pem").write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, public))
    (DATA / "firebase-certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


if "--firebase" in sys.argv:
    firebase()
print("mastodon ", hub("mastodon.json", b"6dae39e6d0cc15e92a55a0ff6c74e5f1d6ea0b8e"))
print("discourse", hub("discourse.json", b"discourse-hook-secret"))
print("supabase ", Webhook(KEY).sign("msg_1", THEN, (DATA / "supabase.json").read_text()))
banned = '{"type":"account.banned","timestamp":"2026-11-22T10:00:00Z","data":{"id":"x:17"}}'
print("standard ", Webhook(KEY).sign("msg_2", THEN, banned))
