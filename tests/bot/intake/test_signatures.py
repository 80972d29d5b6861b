"""Each tool's signature is checked as that tool makes it, and nothing else passes."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.registry import formats, signature_of

SECRET = "s3cret"
BODY = b'{"account": {"id": "a", "n": null}, "on": true, "text": "caf\\u00e9 & 1"}'
FORM = b"account=%7B%27id%27%3A+%27a%27%2C+%27n%27%3A+None%7D&on=True&text=caf%C3%A9+%26+1"

SIGNERS = {
    "dbt_cloud": ("authorization", hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()),
    "openmetadata": (
        "x-om-signature",
        "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest(),
    ),
    "monte_carlo": (
        "x-mcd-signature",
        hmac.new(SECRET.encode(), FORM, hashlib.sha512).hexdigest(),
    ),
}


def signed(name: str, headers: dict[str, str], body: bytes, secret: str = SECRET) -> bool:
    check = signature_of(name)
    assert check is not None
    return check(headers, body, secret)


def test_the_formats_that_sign_are_these():
    """Every format with a signature has its known answer here."""
    assert {each.name for each in formats() if each.signed} == set(SIGNERS)


@pytest.mark.parametrize("name", sorted(SIGNERS))
def test_the_senders_own_signature_passes(name: str):
    """The known answer passes, in either case of its letters."""
    header, value = SIGNERS[name]
    assert signed(name, {header: value}, BODY)
    upper = value.removeprefix("sha256=").upper()
    assert signed(name, {header: upper}, BODY)


@pytest.mark.parametrize("name", sorted(SIGNERS))
@pytest.mark.parametrize(
    "change", ["no header", "other header", "cut", "longer", "body", "secret", "empty", "bearer"]
)
def test_what_differs_in_one_thing_does_not_pass(name: str, change: str):
    """The nearest things to a right signature."""
    header, value = SIGNERS[name]
    headers = {
        "no header": {},
        "other header": {"x-signature": value},
        "cut": {header: value[:-1]},
        "longer": {header: value + "0"},
        "empty": {header: ""},
        "bearer": {header: f"Bearer {value}"},
    }.get(change, {header: value})
    body = BODY.replace(b"true", b"false") if change == "body" else BODY
    assert not signed(name, headers, body, "other" if change == "secret" else SECRET)


@pytest.mark.parametrize("name", sorted(SIGNERS))
@given(value=st.text(), body=st.binary(), secret=st.text(min_size=1))
def test_no_header_and_no_body_makes_a_check_raise(name: str, value: str, body: bytes, secret: str):
    """Anything may be sent; it is only never right."""
    assert not signed(name, {SIGNERS[name][0]: value}, body, secret)
