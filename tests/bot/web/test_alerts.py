"""An alert by webhook is answered once it is kept, and only what can be read is kept."""

import hashlib
import hmac
import io
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.records import InboxKind
from bot.web.alerts import REDELIVERY, sender_id
from bot.web.body import MAX_BODY_BYTES

ACME = {"Authorization": "Bearer rca_acme_responder"}
GLOBEX = {"Authorization": "Bearer rca_globex_responder"}
NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
ALERT = b'{"dataset": "shopify_orders"}'


async def test_a_kept_alert_is_a_202(client, world):
    """The row is the token's tenant's, holds format and body, and its id is in the answer."""
    answer = await client.post("/alerts/native", headers=ACME, data=ALERT)
    assert answer.status == 202
    assert await answer.json() == {"inbox_id": "in-1", "fresh": True}
    (item,) = world.kept.values()
    assert (item.kind, item.tenant_id, item.received_at) == (InboxKind.WEBHOOK, "acme", NOW)
    assert item.payload == {"format": "native", "body": {"dataset": "shopify_orders"}}


async def test_a_redelivery_changes_nothing(client, world):
    """The same body again is the same row; the sender is told 202 all the same."""
    first = await (await client.post("/alerts/native", headers=ACME, data=ALERT)).json()
    again = await (await client.post("/alerts/native", headers=ACME, data=ALERT)).json()
    assert again == {**first, "fresh": False}
    assert len(world.kept) == 1


async def test_the_same_thing_later_is_news(client, world):
    """A body without a time in it counts again once the window for redeliveries has passed."""
    await client.post("/alerts/native", headers=ACME, data=ALERT)
    world.at = NOW + REDELIVERY
    await client.post("/alerts/native", headers=ACME, data=ALERT)
    assert len(world.kept) == 2


async def test_two_tenants_with_one_body_are_two_rows(client, world):
    """No tenant's alert hides another's, by body or by key."""
    for headers in (ACME, GLOBEX):
        await client.post("/alerts/native", headers=headers, data=ALERT)
        keyed = {**headers, "Idempotency-Key": "k-1"}
        await client.post("/alerts/native", headers=keyed, data=ALERT)
    assert sorted(item.tenant_id for item in world.kept.values()) == [
        "acme",
        "acme",
        "globex",
        "globex",
    ]


async def test_the_senders_own_key_decides(client, world):
    """One key is one alert, even later and with another body; two keys are two alerts."""
    one = {**ACME, "Idempotency-Key": "k-1"}
    two = {**ACME, "Idempotency-Key": "k-2"}
    await client.post("/alerts/native", headers=one, data=ALERT)
    world.at = NOW + timedelta(days=1)
    await client.post("/alerts/native", headers=one, data=b'{"dataset": "other"}')
    await client.post("/alerts/native", headers=two, data=ALERT)
    assert len(world.kept) == 2


@given(
    st.tuples(st.text("ab:\n"), st.text("ab:\n"), st.none() | st.text("ab\n"), st.binary()),
    st.tuples(st.text("ab:\n"), st.text("ab:\n"), st.none() | st.text("ab\n"), st.binary()),
)
def test_the_tenants_names_cannot_be_made_to_meet(one, other):
    """Tenants and formats have no line ends in them; then two sender ids meet only for one delivery."""
    if any("\n" in part for parts in (one, other) for part in parts[:2]):
        return
    same = sender_id(*one, NOW) == sender_id(*other, NOW)
    keyed = one[2] is not None and one[:3] == other[:3]
    assert same == (one == other or keyed)


async def test_an_unknown_format_names_the_known(client, world):
    """404 with the list."""
    answer = await client.post("/alerts/natif", headers=ACME, data=ALERT)
    assert answer.status == 404
    assert (await answer.json())["allowed"] == ["alertmanager", "native", "signed"]
    assert not world.kept


async def test_a_payload_the_format_cannot_read_is_not_kept(client, world):
    """400 in the format's own words, which name the field."""
    answer = await client.post("/alerts/native", headers=ACME, data=b'{"dataset": 5}')
    assert answer.status == 400
    assert (await answer.json())["message"] == "native: dataset: a text is needed"
    assert not world.kept


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON at line 1"),
        (b"{", "not JSON at line 1"),
        (b"nonsense", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b'{"dataset": "\xff"}', "not UTF-8 at byte 13"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        ('{"dataset": "x"}'.encode("utf-16"), "not UTF-8 at byte 0"),
        (b'{"dataset": "a\\u0000"}', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'{"dataset": "\\ud800"}', "surrogate"),
        (b'{"n": NaN}', "beyond reason"),
        (b'{"n": -Infinity}', "beyond reason"),
        (b'{"n": 1e999}', "not finite"),
        (b'{"n": ' + b"9" * 5000 + b"}", "beyond reason"),
        (b"[" * 100_000, "beyond reason"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "nested deeper"),
    ],
)
async def test_what_no_database_keeps_is_refused(client, world, body, says):
    """400 says what is wrong with the body; nothing is kept."""
    answer = await client.post("/alerts/native", headers=ACME, data=body)
    text = await answer.json()
    assert answer.status == 400
    assert says in text["message"]
    assert text["field"] == "body"
    assert not world.kept


def _padded(size: int) -> bytes:
    frame = len(json.dumps({"dataset": "x", "pad": ""}))
    return json.dumps({"dataset": "x", "pad": "p" * (size - frame)}).encode()


@pytest.mark.parametrize(
    ("size", "status"),
    [(MAX_BODY_BYTES, 202), (MAX_BODY_BYTES + 1, 413), (MAX_BODY_BYTES * 3, 413)],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_mebibyte_and_not_a_byte_more(client, size, status, chunked):
    """The limit holds with and without a Content-Length."""

    async def parts():
        body = _padded(size)
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    data = parts() if chunked else io.BytesIO(_padded(size))
    answer = await client.post("/alerts/native", headers=ACME, data=data)
    assert answer.status == status


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-unknown"])
async def test_a_compressed_body_is_refused(client, encoding):
    """No small body can become a large one here."""
    headers = {**ACME, "Content-Encoding": encoding}
    answer = await client.post("/alerts/native", headers=headers, data=ALERT)
    assert answer.status in {400, 415}


@pytest.mark.parametrize("key", ["", "k" * 256, "ključ"])
async def test_an_odd_key_is_refused(client, world, key):
    """400 names the header."""
    headers = {**ACME, "Idempotency-Key": key}
    answer = await client.post("/alerts/native", headers=headers, data=ALERT)
    assert answer.status == 400
    assert (await answer.json())["field"] == "Idempotency-Key"
    assert not world.kept


# ── who may post ─────────────────────────────────────────────────────────────────────────────────


def _signature(secret: str, body: bytes = ALERT) -> dict[str, str]:
    return {"X-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


@pytest.mark.parametrize("tenant", ["acme", "globex"])
async def test_a_signature_decides_the_tenant(client, world, tenant):
    """Without any token, the secret that signed the body says whose alert it is."""
    answer = await client.post("/alerts/signed", headers=_signature(f"{tenant}-secret"), data=ALERT)
    assert answer.status == 202
    (item,) = world.kept.values()
    assert item.tenant_id == tenant
    assert not world.secrets_asked


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Signature": ""},
        {"X-Signature": "ž" * 64},
        _signature("nobodys-secret"),
        _signature("acme-secret", ALERT + b" "),
        {"Authorization": "0123456789abcdef"},
    ],
)
async def test_no_or_a_wrong_signature_is_a_401(client, world, headers):
    """What no known secret signed is refused before it is read as an alert."""
    answer = await client.post("/alerts/signed", headers=headers, data=ALERT)
    assert answer.status == 401
    assert not world.kept
    assert not world.refusals


async def test_a_signature_opens_its_own_format_only(client, world):
    """The same headers at another format are nothing."""
    answer = await client.post("/alerts/native", headers=_signature("acme-secret"), data=ALERT)
    assert answer.status == 401
    assert not world.kept


async def test_a_token_still_opens_a_format_that_signs(client, world):
    """A sender without the secret, such as a person trying out, uses a token."""
    answer = await client.post("/alerts/signed", headers=GLOBEX, data=ALERT)
    assert answer.status == 202
    assert [item.tenant_id for item in world.kept.values()] == ["globex"]


async def test_the_body_limit_holds_for_a_sender_that_signs(client):
    """Nobody makes us read more than a mebibyte by not signing."""
    answer = await client.post("/alerts/signed", data=io.BytesIO(_padded(MAX_BODY_BYTES + 1)))
    assert answer.status == 413


@pytest.mark.parametrize("name", ["native", "signed"])
async def test_a_token_in_the_address_is_as_good(client, world, name):
    """Senders that can set no header put it there; tenant and role are the token's own."""
    answer = await client.post(f"/alerts/{name}?token=rca_globex_responder", data=ALERT)
    assert answer.status == 202
    assert [item.tenant_id for item in world.kept.values()] == ["globex"]


@pytest.mark.parametrize(
    "query",
    ["token=", "token=rca_nobody", "token=a&token=b", "token=%FF%00", "Token=rca_acme_responder"],
)
async def test_no_or_a_wrong_token_in_the_address_is_a_401(client, world, query):
    """As with the header."""
    answer = await client.post(f"/alerts/native?{query}", data=ALERT)
    assert answer.status == 401
    assert not world.kept


async def test_a_token_in_both_places_is_refused(client, world):
    """Whose alert it is must not depend on which one we look at."""
    path = "/alerts/native?token=rca_globex_responder"
    assert (await client.post(path, headers=ACME, data=ALERT)).status == 401
    assert not world.kept


async def test_a_token_in_the_address_opens_nothing_else(client):
    """Only alerts are posted by senders that can set no header."""
    answer = await client.get("/api/admin/diagnostics/shopify_orders?token=rca_acme_responder")
    assert answer.status == 401


@pytest.mark.parametrize("body", [ALERT, b"{", b'{"dataset": 5}'])
async def test_a_token_in_the_address_is_never_repeated(client, caplog, body):
    """Neither the answer nor any log line holds it; the access log, which the app has off, is the test's own."""
    caplog.set_level(logging.DEBUG)
    answer = await client.post("/alerts/native?token=rca_acme_responder", data=body)
    assert "rca_acme_responder" not in await answer.text()
    ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]
    assert "rca_acme_responder" not in "\n".join(ours)


# ── deliveries, envelopes, refusals ──────────────────────────────────────────────────────────────


async def test_the_senders_own_delivery_id_decides(client, world):
    """One delivery sent again later, even with another body, is one row; two deliveries are two."""
    for at, delivery in ((0, "d-1"), (1, "d-1"), (2, "d-2")):
        world.at = NOW + timedelta(days=at)
        body = json.dumps({"dataset": "x", "delivery": delivery, "attempt": at})
        await client.post("/alerts/native", headers=ACME, data=body)
    assert len(world.kept) == 2


async def test_what_a_sender_says_in_headers_is_kept_with_the_body(client, world):
    """A format may put headers into the body before it is read; the row has all of it."""
    headers = {**ACME, "X-Dataset": "from_header"}
    await client.post("/alerts/native", headers=headers, data=b'{"n": 1}')
    (item,) = world.kept.values()
    assert item.payload["body"] == {"n": 1, "dataset": "from_header"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"dataset": 5}', "native: dataset: a text is needed"),
        (b"text=an+alert", "not JSON at line 1, column 1: Expecting value"),
        (b"[]", "must be a JSON object"),
        (b"\xff", "the body is not UTF-8 at byte 0"),
    ],
)
async def test_a_refused_body_is_counted_and_not_kept(client, world, body, problem):
    """Whose, of which format, and why: no body."""
    answer = await client.post("/alerts/native", headers=GLOBEX, data=body)
    assert answer.status == 400
    assert world.refusals == [("globex", "native", problem, NOW)]
    assert not world.kept


async def test_what_is_read_is_no_refusal(client, world):
    """Neither a first delivery nor its repetition counts, nor a format that does not exist."""
    for path in ("/alerts/native", "/alerts/native", "/alerts/unknown"):
        await client.post(path, headers=ACME, data=ALERT)
    assert not world.refusals
