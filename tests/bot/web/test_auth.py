"""Who gets in."""

from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.policy.who_may import Act
from bot.web.auth import Door
from bot.web.site import build_site

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
DOORS = [
    ("GET", "/api/admin/diagnostics/shopify_orders"),
    ("POST", "/api/admin/diagnostics/shopify_orders/analyze?anomaly_type=volume_anomaly"),
    ("POST", "/alerts/native"),
]


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic cm9vdDpyb290",
        "rca_acme_responder",
        "Bearer rca_acme responder",
        "Bearer rca_ácme",
        "Bearer " + "x" * 513,
        "Bearer rca_nobody",
    ],
)
async def test_no_token_no_entry(client, world, method, path, header):
    """401 with a challenge, and nothing is read, kept or analyzed."""
    headers = {} if header is None else {"Authorization": header}
    answer = await client.request(method, path, headers=headers, data=b"{}")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="rca-bot"')
    assert (await answer.json())["error"] == "unauthorized"
    assert not world.kept
    assert not world.analyzed


async def test_only_a_token_that_was_given_is_called_invalid(client, world):
    """RFC 6750: no error code without credentials; invalid_token with wrong ones."""
    bare = await client.get(DOORS[0][1])
    wrong = await client.get(DOORS[0][1], headers={"Authorization": "Bearer rca_nobody"})
    assert "error=" not in bare.headers["WWW-Authenticate"]
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]
    assert world.secrets_asked == ["rca_nobody"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_has_no_case(client, scheme):
    """RFC 9110: an authentication scheme is read in any case."""
    headers = {"Authorization": f"{scheme} rca_acme_viewer"}
    assert (await client.get(DOORS[0][1], headers=headers)).status == 200


async def test_two_tokens_at_once_are_none(client):
    """Two Authorization headers are not a choice for us to make."""
    headers = [("Authorization", "Bearer rca_acme_viewer")] * 2
    assert (await client.get(DOORS[0][1], headers=headers)).status == 401


@pytest.mark.parametrize(("token", "status"), [("rca_acme_viewer", 403), ("rca_acme_admin", 200)])
async def test_a_role_that_may_not_is_told_so(world, token, status):
    """403 says which role may not do what."""
    door = Door(owner_of=world.owner_of)

    async def administer(request: web.Request) -> web.Response:
        await door.admit(request, Act.ADMIN)
        return web.Response()

    site = build_site([web.get("/x", administer)])
    async with TestClient(TestServer(site)) as client:
        answer = await client.get("/x", headers={"Authorization": f"Bearer {token}"})
        assert answer.status == status
        if status == 403:
            message = "A token with the role viewer may not admin."
            assert (await answer.json())["message"] == message
