"""The runbook's two endpoints."""

import pytest

from bot.directory import Role
from rca.case import AnomalyType
from rca.diagnosis import Band, Diagnosis

RESPONDER = {"Authorization": "Bearer rca_acme_responder"}
VIEWER = {"Authorization": "Bearer rca_acme_viewer"}
GLOBEX = {"Authorization": "Bearer rca_globex_responder"}
PATH = "/api/admin/diagnostics/shopify_orders"
ANALYZE = f"{PATH}/analyze?anomaly_type=volume_anomaly"


def stored(signal_id: str, *, tenant_id: str = "acme", is_active: bool = True) -> Diagnosis:
    return Diagnosis.model_validate(
        {
            "signal_id": signal_id,
            "case_id": "c",
            "tenant_id": tenant_id,
            "dataset": "shopify_orders",
            "anomaly_type": "volume_anomaly",
            "detected_at": "2026-03-02T07:05:00Z",
            "as_of": "2026-03-02T07:10:00Z",
            "is_active": is_active,
            "band": Band.MANUAL,
        }
    )


async def test_the_runbooks_query(client, world):
    """``?active_only=true`` gives the tenant's active diagnoses as documents of the contract."""
    world.stored = [stored("s-2"), stored("s-1", is_active=False)]
    answer = await client.get(f"{PATH}?active_only=true", headers=RESPONDER)
    body = await answer.json()
    assert answer.status == 200
    assert {key: body[key] for key in ("dataset", "tenant_id")} == {
        "dataset": "shopify_orders",
        "tenant_id": "acme",
    }
    (one,) = body["diagnoses"]
    assert Diagnosis.model_validate(one) == world.stored[0]
    assert one["format"] == "rca.diagnosis/1"


async def test_without_active_only_the_past_is_there_too(client, world):
    """The default shows every diagnosis, up to twenty."""
    world.stored = [stored(f"s-{n}", is_active=False) for n in range(30)]
    body = await (await client.get(PATH, headers=RESPONDER)).json()
    assert len(body["diagnoses"]) == 20
    body = await (await client.get(f"{PATH}?limit=3", headers=RESPONDER)).json()
    assert len(body["diagnoses"]) == 3


async def test_nothing_found_is_an_empty_list(client):
    """A known dataset without diagnoses is a 200 with none."""
    answer = await client.get(PATH, headers=RESPONDER)
    assert answer.status == 200
    assert (await answer.json())["diagnoses"] == []


async def test_the_runbooks_analysis(client, world):
    """A POST runs one analysis in the token's tenant, in the token's name, and returns the document."""
    answer = await client.post(ANALYZE, headers=RESPONDER)
    assert answer.status == 200
    assert Diagnosis.model_validate(await answer.json()).anomaly_type is AnomalyType.VOLUME
    assert world.analyzed == [("acme", "shopify_orders", AnomalyType.VOLUME, "ci")]


@pytest.mark.parametrize("token", ["rca_acme_viewer", "rca_acme_responder", "rca_acme_admin"])
async def test_every_role_may_look_and_ask(client, token):
    """A viewer may view and diagnose; so may the others."""
    headers = {"Authorization": f"Bearer {token}"}
    assert (await client.get(PATH, headers=headers)).status == 200
    assert (await client.post(ANALYZE, headers=headers)).status == 200


async def test_another_tenants_dataset_does_not_exist(client, world):
    """A token sees its own tenant only: another's dataset is as unknown as one that is not there."""
    world.stored = [stored("s-1")]
    answer = await client.get(PATH, headers=GLOBEX)
    assert answer.status == 404
    assert "near" not in await answer.json()
    assert (await client.post(ANALYZE, headers=GLOBEX)).status == 404
    assert world.analyzed == []


async def test_a_misspelt_dataset_gets_the_near_ones(client):
    """404 with the names that look like it."""
    answer = await client.get("/api/admin/diagnostics/shopfy_order", headers=VIEWER)
    assert answer.status == 404
    assert await answer.json() == {
        "error": "not_found",
        "message": "There is no dataset named shopfy_order.",
        "near": ["shopify_orders"],
    }


@pytest.mark.parametrize("path", ["SHOPIFY_ORDERS", "a%2Fb%20c"])
async def test_a_name_may_be_quoted_or_in_capitals(client, path):
    """The catalog decides what a name means; a slash in it is percent-encoded."""
    answer = await client.get(f"/api/admin/diagnostics/{path}", headers=RESPONDER)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("active_only=maybe", "active_only"),
        ("active_only=", "active_only"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("limit=1&limit=2", "limit"),
        ("active=true", "active"),
        ("tenant_id=globex", "tenant_id"),
    ],
)
async def test_a_wrong_parameter_is_named(client, query, field):
    """400 names the parameter; a misspelt filter is refused and not ignored."""
    answer = await client.get(f"{PATH}?{query}", headers=RESPONDER)
    assert answer.status == 400
    assert (await answer.json())["field"] == field


@pytest.mark.parametrize("limit", [1, 200])
async def test_the_edges_of_limit(client, limit):
    """1 and 200 are allowed."""
    assert (await client.get(f"{PATH}?limit={limit}", headers=RESPONDER)).status == 200


@pytest.mark.parametrize("query", ["", "?anomaly_type=", "?anomaly_type=volume"])
async def test_an_analysis_needs_a_type(client, world, query):
    """400 names the field and every value it may have."""
    answer = await client.post(f"{PATH}/analyze{query}", headers=RESPONDER)
    body = await answer.json()
    assert answer.status == 400
    assert body["field"] == "anomaly_type"
    assert body["allowed"] == [kind.value for kind in AnomalyType]
    assert world.analyzed == []


@pytest.mark.parametrize("name", ["a%00b", "%ED%A0%80", "%FF%FE", "x" * 1001, ".", "%2E%2E", "%0A"])
async def test_a_name_that_is_none_is_refused(client, name):
    """NUL, half a surrogate, broken UTF-8 or a novel is never a 500."""
    answer = await client.get(f"/api/admin/diagnostics/{name}", headers=RESPONDER)
    assert answer.status in {400, 404}


async def test_our_own_fault_is_a_500_without_internals(client, world, caplog):
    """The caller gets an id, the log gets the rest under that id."""
    world.broken = RuntimeError("password=hunter2 in SELECT")
    answer = await client.get(PATH, headers=RESPONDER)
    body = await answer.json()
    assert answer.status == 500
    assert "hunter2" not in str(body)
    (record,) = [one for one in caplog.records if one.name == "bot.web.errors"]
    assert record.error_id == body["error_id"]
    assert record.exc_info is not None


def test_the_roles_here_are_the_directorys():
    """The three tokens of these tests cover every role there is."""
    assert {role.value for role in Role} == {"viewer", "responder", "admin"}
