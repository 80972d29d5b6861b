"""``POST /alerts/{format}`` with the real formats: each tool's own way in, and any nonsense at each of them."""

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.directory import Directory
from bot.intake.registry import (
    delivery_of,
    enveloped,
    formats,
    read_webhook,
    signature_of,
    webhook_formats,
)
from bot.ports import BotError
from bot.web.alerts import AlertsApi
from bot.web.auth import Door
from bot.web.signed import hooks_of
from bot.web.site import build_site

SAMPLES = Path(__file__).parents[1] / "intake" / "samples"
ACME = {"Authorization": "Bearer rca_acme_responder"}
SIGNING = ("dbt_cloud", "monte_carlo", "openmetadata")
FEW = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def directory(**entries: dict[str, str]) -> Directory:
    tenants = {name: {"id": name, "name": name} for name in ("acme", "globex")}
    hooks = {name: {"id": name, **entry} for name, entry in entries.items()}
    return Directory.model_validate({"tenants": tenants, "webhooks": hooks})


def sample(name: str) -> dict:
    return json.loads((SAMPLES / name).read_text("utf-8"))


@pytest.fixture
async def client(world):
    """The real formats, with a secret of Acme's and one of Globex's for each that signs."""
    entries = {
        f"{tenant}_{name}": {
            "format": name,
            "tenant": tenant,
            "secret_env": f"{tenant.upper()}_KEY",
        }
        for name in SIGNING
        for tenant in ("acme", "globex")
    }
    secrets = {"ACME_KEY": "acme-secret", "GLOBEX_KEY": "globex-secret"}
    api = AlertsApi(
        door=Door(owner_of=world.owner_of),
        keep=world.keep,
        read=read_webhook,
        unwrap=enveloped,
        delivery_of=delivery_of,
        refused=world.refused,
        hooks=hooks_of(directory(**entries), secrets, signature_of),
        formats=webhook_formats(),
        clock=lambda: world.at,
    )
    async with TestClient(TestServer(build_site(api.routes()))) as made:
        yield made


def signature(name: str, body: dict, raw: bytes, secret: str) -> dict[str, str]:
    """What each tool sends."""
    key = secret.encode()
    plain = hmac.new(key, raw, hashlib.sha256).hexdigest()
    form = hmac.new(key, urlencode(body).encode(), hashlib.sha512).hexdigest()
    return {
        "dbt_cloud": {"Authorization": plain},
        "openmetadata": {"X-OM-Signature": f"sha256={plain}"},
        "monte_carlo": {"x-mcd-signature": form},
    }[name]


SIGNED_SAMPLES = {
    "dbt_cloud": "dbt_cloud/webhook_completed_errored.json",
    "openmetadata": "openmetadata/webhook_test_failed.json",
    "monte_carlo": "monte_carlo/webhook_rule_breached.json",
}


@pytest.mark.parametrize("name", SIGNING)
@pytest.mark.parametrize("tenant", ["acme", "globex"])
async def test_each_tools_signature_lets_it_in_as_its_tenant(client, world, name, tenant):
    """The sender shows no token; the secret decides whose alert it is."""
    body = sample(SIGNED_SAMPLES[name])
    raw = json.dumps(body).encode()
    headers = signature(name, body, raw, f"{tenant}-secret")
    answer = await client.post(f"/alerts/{name}", headers=headers, data=raw)
    assert answer.status == 202
    assert [item.tenant_id for item in world.kept.values()] == [tenant]
    wrong = await client.post(f"/alerts/{name}", headers=headers, data=raw + b" ")
    assert wrong.status == (202 if name == "monte_carlo" else 401)  # that one signs the meaning


BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "A-1",
    "ce-source": "/dq/soda/shop",
    "ce-type": "com.example.check.failed",
    "ce-time": "2026-11-22T02:03:00Z",
    "ce-subject": "caf%C3%A9",
}


async def test_a_binary_cloud_event_is_the_structured_one(client, world):
    """Attributes in headers and data in the body are kept, and read, as one document."""
    data = json.dumps({"dataset": "shopify_orders", "status": "failed"})
    answer = await client.post("/alerts/cloudevents", headers={**ACME, **BINARY}, data=data)
    assert answer.status == 202
    (item,) = world.kept.values()
    body = item.payload["body"]
    assert (body["id"], body["subject"], body["data"]["status"]) == ("A-1", "café", "failed")
    assert "authorization" not in json.dumps(body).lower()


@pytest.mark.parametrize("missing", ["ce-id", "ce-source", "ce-type"])
async def test_a_binary_cloud_event_without_an_attribute_is_refused(client, world, missing):
    """400 names the attribute; the refusal is counted."""
    headers = {**ACME, **{name: value for name, value in BINARY.items() if name != missing}}
    answer = await client.post("/alerts/cloudevents", headers=headers, data='{"dataset": "x"}')
    assert answer.status == 400
    assert (await answer.json())["message"].startswith(f"{missing.removeprefix('ce-')}:")
    assert [refusal[:2] for refusal in world.refusals] == [("acme", "cloudevents")]


@pytest.mark.parametrize("value", [b"caf\xe9", b"%00%ed%a0%80", b"a\x7fb", b"%ff" * 900])
async def test_no_attribute_in_a_header_is_kept_that_no_database_keeps(client, world, value):
    """Bytes that are no text, also percent-encoded, become marks; the row is strict UTF-8 without NUL."""
    head = [
        b"POST /alerts/cloudevents HTTP/1.1",
        b"Host: x",
        b"Content-Length: 30",
        b"Connection: close",
    ]
    named = [f"{name}: {text}".encode() for name, text in {**ACME, **BINARY}.items()]
    raw = b"\r\n".join(
        [*head, *named, b"ce-extra: " + value, b"", b'{"table": "o", "status": "ok"} ']
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(raw)
    status = int((await reader.readline()).split()[1])
    writer.close()
    assert status in {202, 400}
    for item in world.kept.values():
        text = json.dumps(dict(item.payload), ensure_ascii=False).encode("utf-8")
        assert b"\\u0000" not in text


@pytest.mark.parametrize(
    ("name", "body", "again"),
    [
        ("dbt_cloud", "dbt_cloud/webhook_completed_errored.json", {"timestamp": "2030"}),
        ("openmetadata", "openmetadata/webhook_test_failed.json", {"userName": "again"}),
        ("cloudevents", "cloudevents/webhook_check_failed.json", {"time": "2030-01-01T00:00:00Z"}),
        ("datadog", "datadog/webhook_triggered.json", {"last_updated": "1795312999000"}),
    ],
)
async def test_a_delivery_sent_again_is_one_row(client, world, name, body, again):
    """The sender's own id counts, whatever else differs in what it sends again."""
    first = sample(body)
    for each in (first, {**first, **again}):
        answer = await client.post(f"/alerts/{name}", headers=ACME, json=each)
        assert answer.status == 202
    assert len(world.kept) == 1


async def test_an_unknown_format_gets_the_list(client):
    """404 names all that there are; one that only reads Slack is none of them."""
    answer = await client.post("/alerts/elementary", headers=ACME, json={})
    assert answer.status == 404
    assert (await answer.json())["allowed"] == sorted(webhook_formats())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
NAMES = """event checkResults incident account payload event_list eventType data entityType entity source id type
specversion changeDescription alert_transition tags alerts version rca dataset jobName"""
KEYS = st.sampled_from(NAMES.split())


@pytest.mark.parametrize("name", webhook_formats())
@FEW
@given(st.binary(max_size=60) | st.dictionaries(KEYS, VALUES, max_size=5).map(json.dumps))
async def test_any_body_to_any_format_is_read_or_refused(client, world, name, body):
    """202, or a 4xx with a message; what is refused is not kept."""
    world.kept.clear()
    answer = await client.post(f"/alerts/{name}", headers=ACME, data=body)
    assert answer.status in {202, 400}
    if answer.status == 400:
        assert (await answer.json())["message"]
        assert not world.kept


def test_a_webhook_that_cannot_sign_stops_the_start():
    """All that is wrong is said at once: a format without a signature, a secret that is not set."""
    wrong = directory(
        soda={"format": "soda", "tenant": "acme", "secret_env": "A"},
        nobody={"format": "nobody", "tenant": "acme", "secret_env": "A"},
        dbt={"format": "dbt_cloud", "tenant": "acme", "secret_env": "NOT_SET"},
    )
    with pytest.raises(BotError) as caught:
        hooks_of(wrong, {"A": "x"}, signature_of)
    assert str(caught.value).splitlines() == [
        "webhooks.soda.format: 'soda' has no signature to check",
        "webhooks.nobody.format: 'nobody' has no signature to check",
        "webhooks.dbt: NOT_SET is not set",
    ]


@pytest.mark.parametrize("other", ["acme", "globex"])
def test_one_secret_speaks_for_one_tenant(other):
    """A secret that two tenants share would give one the other's alerts; one tenant may have it twice."""
    entries = directory(
        first={"format": "dbt_cloud", "tenant": "acme", "secret_env": "A"},
        second={"format": "dbt_cloud", "tenant": other, "secret_env": "B"},
    )
    secrets = {"A": "canary", "B": "canary "}
    if other == "acme":
        hooks_of(entries, secrets, signature_of)
        return
    with pytest.raises(BotError) as caught:
        hooks_of(entries, secrets, signature_of)
    assert str(caught.value) == (
        "webhooks.second: B holds the same secret as webhooks.first of another tenant"
    )


def test_no_secret_is_shown():
    """A hook printed by accident holds its secret back."""
    hooks = hooks_of(
        directory(dbt={"format": "dbt_cloud", "tenant": "acme", "secret_env": "A"}),
        {"A": "s3cret-canary"},
        signature_of,
    )
    assert "s3cret-canary" not in repr(hooks)


def test_every_format_that_signs_can_be_named_in_the_directory():
    """No format has a signature that nobody could use."""
    assert {each.name for each in formats() if each.signed} == set(SIGNING)
