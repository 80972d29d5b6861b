"""How senders sign a body with a secret that both sides know. Pure; constant time; never raises."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

SHA256_PREFIX: Final = "sha256="


def signed_by_hex(headers: Mapping[str, str], raw: bytes, secret: str, *, header: str) -> bool:
    """Return whether *header* is the hex HMAC-SHA256 of *raw*, with or without ``sha256=`` before it."""
    digest = hmac.new(_bytes(secret), raw, hashlib.sha256).hexdigest()
    return _same(headers.get(header, "").strip().removeprefix(SHA256_PREFIX), digest)


def signed_by_form(headers: Mapping[str, str], raw: bytes, secret: str, *, header: str) -> bool:
    """Return whether *header* is the hex HMAC-SHA512 of the JSON object in *raw*, written as a web form.

    The form is Python's own ``urlencode`` of the parsed object: each value as Python prints it.
    """
    try:
        body = json.loads(raw)
        form = urlencode(body if isinstance(body, dict) else {}).encode()
    except (ValueError, RecursionError):
        return False
    return _same(
        headers.get(header, "").strip(), hmac.new(_bytes(secret), form, hashlib.sha512).hexdigest()
    )


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")


def _same(told: str, digest: str) -> bool:
    """Compare as bytes: the library refuses text that is not ASCII, and a header can hold anything."""
    return hmac.compare_digest(told.casefold().encode("utf-8", "replace"), digest.encode())
