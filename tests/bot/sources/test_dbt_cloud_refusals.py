"""What dbt Cloud refuses or answers oddly is named, and the token never is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from bot.ports import BotError
from bot.sources.dbt_cloud import SOURCE
from tests.bot.sources.dbt_cloud_world import TOKEN, Cloud, read_account, served
from tests.bot.sources.dbt_world import (
    NOON,
    RAW,
    Ticking,
    ask_of,
    opened,
    reasons,
    run_results,
    runs,
)

DAY: Final = timedelta(days=1)


def refusing(status: int, only: str = "") -> Any:
    """An answer with *status* to what has *only* in its path."""

    def answer(request: web.Request) -> web.StreamResponse | None:
        if only not in request.path:
            return None
        return web.json_response({"secret": TOKEN}, status=status, headers={"Retry-After": "9"})

    return answer


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "401 Unauthorized, the token is wrong or was revoked"),
        (403, "403 Forbidden, the token may not read this"),
        (404, "404 Not Found"),
        (429, "429 Too Many Requests, too many requests"),
        (500, "500 Internal Server Error"),
        (503, "503 Service Unavailable"),
    ],
)
async def test_an_account_that_refuses(status: int, words: str) -> None:
    """Nothing is known, and every hole says what was asked of whom and what came back; never the token."""
    cloud = Cloud(instead=refusing(status))
    facts = await read_account(cloud)
    assert facts.found == {}
    assert set(reasons(facts)) == {"dbt_runs", "lineage", "dq_results", "column_snapshots"}
    reason = reasons(facts)["lineage"]
    assert "dbt Cloud at http://127.0.0.1" in reason
    assert "runs of project 5" in reason
    assert reason.endswith(words)
    assert TOKEN not in repr(facts)


async def test_a_wrong_token() -> None:
    """A token that dbt Cloud does not know is named as such."""
    cloud = Cloud()
    cloud.add(12)
    async with served(cloud) as source:
        object.__setattr__(source.looker.api, "token", "other")
        facts = await source.read(ask_of(RAW))
        assert "other" not in repr(source)
    assert reasons(facts)["dbt_runs"].endswith(
        "401 Unauthorized, the token is wrong or was revoked"
    )


@pytest.mark.parametrize("status", [429, 500])
async def test_results_that_are_refused(status: int) -> None:
    """When the newest run's results cannot be read, older ones do not stand in for them."""
    cloud, clock = Cloud(), Ticking()
    cloud.add(11, NOON - DAY)
    async with served(cloud, clock) as source:
        await source.read(ask_of(RAW))
        cloud.add(12, status=20)
        cloud.instead = refusing(status, "runs/12/artifacts")
        clock.now += timedelta(minutes=1)
        refused = await source.read(ask_of(RAW))
        cloud.instead = None
        clock.now += timedelta(minutes=1)
        then = await source.read(ask_of(RAW))
    assert "run_results.json of run 12, step 2" in reasons(refused)["dbt_runs"]
    assert "lineage" in refused.found
    assert [run.invocation_id for run in runs(then)] == ["inv-11", "inv-12"]


async def test_a_limit_of_requests_is_respected() -> None:
    """Once dbt Cloud says that it is too much, no further run is asked for; the newest were asked for first."""
    cloud = Cloud()
    for number in range(1, 21):
        cloud.add(number, NOON - timedelta(hours=20 - number))
    cloud.instead = refusing(429, "run_results.json")
    facts = await read_account(cloud)
    asked = [path for path in cloud.asked if "run_results" in path]
    assert len(asked) <= 4
    assert "runs/20/artifacts/run_results.json?step=2" in asked
    assert "429 Too Many Requests" in reasons(facts)["dbt_runs"]


async def test_the_token_stays_with_dbt_cloud() -> None:
    """An artifact that lies in another store is read from there, and the token is not sent along."""
    cloud, seen = Cloud(), []
    cloud.add(12)

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.json_response(run_results(invocation_id="inv-stored"))

    app = web.Application()
    app.router.add_get("/{path:.*}", elsewhere)
    async with TestServer(app) as other:

        def answer(request: web.Request) -> web.StreamResponse | None:
            if not request.path.endswith("run_results.json"):
                return None
            return web.Response(status=302, headers={"Location": str(other.make_url("/x"))})

        cloud.instead = answer
        facts = await read_account(cloud)
    assert [run.invocation_id for run in runs(facts)] == ["inv-stored"]
    assert seen == [None]


async def test_redirects_without_end() -> None:
    """An address that sends in circles is named, and left."""
    cloud = Cloud(
        instead=lambda request: web.Response(status=302, headers={"Location": str(request.url)})
    )
    facts = await read_account(cloud)
    assert reasons(facts)["dbt_runs"].endswith("sent elsewhere too often")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>", "is not JSON, or was cut off"),
        ('{"data": {}}', "data is not a list"),
        ('{"status": {}}', "data is not a list"),
        ("[]", "is not a JSON object"),
    ],
)
async def test_an_answer_that_is_no_list(body: str, words: str) -> None:
    """A proxy's page instead of the list is named."""
    cloud = Cloud(instead=lambda _: web.Response(text=body))
    assert reasons(await read_account(cloud))["dbt_runs"].endswith(words)


async def test_nobody_there() -> None:
    """An address where nobody listens is named with the kind of error."""
    options = {
        "url": "http://127.0.0.1:1",
        "account_id": 1,
        "token_env": "DBT_TOKEN",
        "project_id": 5,
    }
    async with opened(SOURCE, options, secrets={"DBT_TOKEN": TOKEN}) as source:
        facts = await source.read(ask_of(RAW))
        checked = await source.check()
        with pytest.raises(BotError, match="not reached"):
            await source.offers()
    assert reasons(facts)["dbt_runs"] == (
        "asked dbt Cloud at http://127.0.0.1:1 for runs of project 5:"
        " not reached (ClientConnectorError)"
    )
    assert [bool(one.problem) for one in checked[:2]] == [True, True]


async def test_an_account_without_runs() -> None:
    """No run at all is a hole that says so."""
    facts = await read_account(Cloud())
    assert reasons(facts)["dbt_runs"].endswith("no run of this project has ended")


@pytest.mark.parametrize(
    "options",
    [
        {"account_id": 1, "token_env": "T"},
        {"account_id": 0, "token_env": "T", "project_id": 1},
        {"token_env": "T", "project_id": 1},
        {"account_id": 1, "project_id": 1},
        {"account_id": 1, "token_env": "T", "project_id": 1, "url": "cloud.getdbt.com"},
        {"account_id": 1, "token_env": "T", "project_id": 1, "unknown": 1},
    ],
)
def test_options_that_cannot_work(options: dict[str, object]) -> None:
    """A source without an account, a token or a project is refused."""
    with pytest.raises(ValidationError):
        SOURCE.options.model_validate(options)


async def test_a_token_that_is_not_set() -> None:
    """The environment variable that is missing is named."""
    options = {"account_id": 1, "token_env": "DBT_TOKEN", "project_id": 1}
    with pytest.raises(BotError, match="DBT_TOKEN is not set"):
        async with opened(SOURCE, options):
            pass
