"""How Airbyte is asked when it, or the way to it, misbehaves: real answers over real HTTP, spoilt in every way."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from pydantic import ValidationError

from bot.directory import Directory
from bot.ports import BotError, Facts
from bot.sources.airbyte.client import MAX_ANSWER_BYTES
from bot.sources.airbyte.options import AirbyteOptions, addresses
from bot.sources.registry import kinds
from rca.case import FactKind
from tests.bot.sources.airbyte_world import (
    APPLICATION,
    CONNECTION,
    NOW,
    SECRETS,
    AirbyteWorld,
    Fault,
    world,
)

JOBS = "/api/v1/jobs/list"
TOKEN = "/api/v1/applications/token"


@pytest_asyncio.fixture
async def airbyte() -> AsyncIterator[AirbyteWorld]:
    """A stand-in of its own for each test."""
    async with world() as stand_in:
        yield stand_in


async def read(airbyte: AirbyteWorld, timeout_s: float = 6.0) -> Facts:
    """What one read gives when each question may take so long."""
    async with airbyte.source(APPLICATION | {"timeout_s": timeout_s}) as source:
        return await source.read(airbyte.ask())


def reason(facts: Facts) -> str:
    """Why there are no syncs; the same is said of every kind of fact, and nothing was found."""
    assert facts.found == {}
    (said,) = {hole.reason for hole in facts.holes}
    assert {hole.fact for hole in facts.holes} == {FactKind.INGESTION_JOBS, FactKind.PEER_ERRORS}
    return said


# ── tokens ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_one_token_serves_many_questions(airbyte: AirbyteWorld) -> None:
    """Reads at the same time wait for the same token."""
    async with airbyte.source(APPLICATION) as source:
        await asyncio.gather(*(source.read(airbyte.ask()) for _ in range(5)))
    assert len(airbyte.tokens) == 1


async def test_a_revoked_token_is_renewed_once(airbyte: AirbyteWorld) -> None:
    """A 401 fetches another token, and the question is asked again."""
    async with airbyte.source(APPLICATION) as source:
        await source.read(airbyte.ask())
        airbyte.revoked = set(airbyte.tokens)
        assert (await source.read(airbyte.ask())).found
    assert len(airbyte.tokens) == 2


async def test_a_401_that_stays_is_told(airbyte: AirbyteWorld) -> None:
    """A fresh token that is refused too is no reason to go on; both APIs' answers are told."""
    airbyte.closed[JOBS] = airbyte.closed["/api/public/v1/jobs"] = 401
    said = reason(await read(airbyte))
    assert said == (
        f"asked Airbyte at {airbyte.url} for jobs of connection {CONNECTION}: 401 Unauthorized; "
        f"asked Airbyte at {airbyte.url} for jobs of connection {CONNECTION} (public API): 401 Unauthorized"
    )
    assert airbyte.count(JOBS) == 2


@pytest.mark.parametrize(("minutes", "tokens"), [(14, 1), (15, 2)])
async def test_a_token_is_renewed_before_it_ends(
    airbyte: AirbyteWorld, minutes: int, tokens: int
) -> None:
    """It lives for 15 minutes and is given up 30 seconds earlier."""
    async with airbyte.source(APPLICATION) as source:
        await source.read(airbyte.ask())
        airbyte.clock.now = NOW + timedelta(minutes=minutes)
        await source.read(airbyte.ask())
    assert len(airbyte.tokens) == tokens


async def test_an_airbyte_that_gives_tokens_elsewhere(airbyte: AirbyteWorld) -> None:
    """Where the Config API has no such page, the public API's is asked."""
    airbyte.closed[TOKEN] = 404
    assert (await read(airbyte)).found
    assert airbyte.count("/api/public/v1/applications/token") == 1


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'{"access_token": 7}', b'{"access_token": ""}', b'{"access_token": "a\\nb"}'],
)
async def test_an_answer_without_a_token(airbyte: AirbyteWorld, body: bytes) -> None:
    """It is no token, whatever else it is, and no header is made of it."""
    airbyte.faults[TOKEN].extend([Fault(body=body)] * 3)
    airbyte.faults["/api/public/v1/applications/token"].extend([Fault(body=body)] * 3)
    assert "for a token: the answer holds no access_token" in reason(await read(airbyte))


@pytest.mark.parametrize("life", [b"-1", b"true", b'"long"', b"null", b"1e300"])
async def test_a_token_with_a_strange_life(airbyte: AirbyteWorld, life: bytes) -> None:
    """It is used, and for no longer than the shortest life that was ever documented, or a day."""
    airbyte.tokens.append("odd")
    airbyte.faults[TOKEN].append(
        Fault(
            body=b'{"access_token": "odd", "expires_in": ' + life + b"}",
            headers={"Content-Type": "application/json"},
        )
    )
    assert (await read(airbyte)).found


async def test_a_wrong_secret_is_told_without_it(airbyte: AirbyteWorld) -> None:
    """The sentence names the token and the answer; neither id nor secret is in it."""
    wrong = SECRETS | {"AIRBYTE_SECRET": "not-the-secret"}
    async with airbyte.source(APPLICATION, secrets=wrong) as source:
        said = reason(await source.read(airbyte.ask()))
    assert said == f"asked Airbyte at {airbyte.url} for a token: 401 Unauthorized"


async def test_a_user_with_a_password(airbyte: AirbyteWorld) -> None:
    """An older Airbyte gets the password with each question, and is asked for no token."""
    airbyte.needs_token = False
    options = {"user": "airbyte", "password_env": "AIRBYTE_SECRET"}
    async with airbyte.source(options) as source:
        assert (await source.read(airbyte.ask())).found
    expected = b64encode(f"airbyte:{SECRETS['AIRBYTE_SECRET']}".encode()).decode()
    assert set(airbyte.authorizations) == {f"Basic {expected}"}


async def test_an_airbyte_that_lets_everybody_in(airbyte: AirbyteWorld) -> None:
    """Without credentials nothing is sent."""
    airbyte.needs_token = False
    async with airbyte.source({}) as source:
        assert (await source.read(airbyte.ask())).found
    assert set(airbyte.authorizations) == {None}


# ── answers that are not what was asked for ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429),
        Fault(status=429, headers={"Retry-After": "0"}),
        Fault(status=429, headers={"Retry-After": "soon"}),
        Fault(status=500),
        Fault(status=503),
        Fault(cut=True),
    ],
    ids=str,
)
async def test_what_passes_is_tried_again(airbyte: AirbyteWorld, fault: Fault) -> None:
    """One busy, broken or cut-off answer is followed by a good one."""
    airbyte.faults[JOBS].append(fault)
    assert (await read(airbyte)).found
    assert airbyte.count(JOBS) == 2


@pytest.mark.parametrize(
    ("fault", "came", "asked"),
    [
        (Fault(status=503), "503 Service Unavailable", 3),
        (Fault(status=429, headers={"Retry-After": "60"}), "429 Too Many Requests", 1),
        (Fault(cut=True), "the answer was cut off", 3),
        (Fault(silent=True), "no answer within 0.3 s", 1),
        (Fault(status=400), "400 Bad Request", 1),
        (Fault(status=302, headers={"Location": "http://127.0.0.1:1/"}), "302 Found", 1),
        (Fault(status=299), "299", 1),
        (Fault(body=b"<html>"), "the answer is no JSON", 1),
        (Fault(body=b"[" * 100_000), "the answer is no JSON", 1),
        (Fault(body=b"1" * 5_000), "the answer is no JSON", 1),
        (Fault(body=b"\xff\xfe"), "the answer is no JSON", 1),
        (Fault(body=b" " * (MAX_ANSWER_BYTES + 1)), "the answer is larger than 32 MiB", 1),
    ],
    ids=["down", "long pause", "cut", "slow", "bad", "redirect", "odd", "page", "deep", "number", "bytes", "large"],
)  # fmt: skip
async def test_what_stays_is_told(
    airbyte: AirbyteWorld, fault: Fault, came: str, asked: int
) -> None:
    """The hole says what was asked of whom and what came back; no redirect is followed."""
    airbyte.faults[JOBS].extend([fault] * 3)
    said = reason(await read(airbyte, timeout_s=0.3 if fault.silent else 6.0))
    assert said == f"asked Airbyte at {airbyte.url} for jobs of connection {CONNECTION}: {came}"
    assert airbyte.count(JOBS) == asked


async def test_nobody_there() -> None:
    """An address where nothing listens is a hole that says so."""
    async with world() as gone:
        pass
    async with gone.source(APPLICATION) as source:
        assert "for a token: it could not be reached" in reason(await source.read(gone.ask()))


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b'{"jobs": {}}', b'"jobs"'])
async def test_an_answer_of_another_shape(airbyte: AirbyteWorld, body: bytes) -> None:
    """A document without jobs is no empty history."""
    airbyte.faults[JOBS].append(Fault(body=body))
    said = reason(await read(airbyte))
    assert said.endswith("the answer has no list named jobs")


async def test_a_lie_in_one_entry_leaves_the_others(airbyte: AirbyteWorld) -> None:
    """It is named by its path beside the syncs that could be read."""
    airbyte.jobs[2]["job"]["status"] = "exploded"
    facts = await read(airbyte)
    found = facts.found[FactKind.INGESTION_JOBS]
    assert isinstance(found, tuple)
    assert len(found) == 9
    assert facts.holes[0].fact == FactKind.INGESTION_JOBS
    assert "first jobs[2].job.status" in facts.holes[0].reason


async def test_only_lies_are_no_history(airbyte: AirbyteWorld) -> None:
    """When no entry can be read, nothing was found, and nobody says that there is none."""
    for entry in airbyte.jobs:
        entry["job"]["status"] = "exploded"
    facts = await read(airbyte)
    assert facts.found == {}
    assert "10 of the jobs" in facts.holes[0].reason


async def test_a_failure_that_many_share_is_asked_once(airbyte: AirbyteWorld) -> None:
    """While Airbyte is down, forty datasets do not ask forty times."""
    path = "/api/v1/jobs/list_for_workspaces"
    airbyte.faults[path].extend([Fault(status=400)] * 50)
    async with airbyte.source(APPLICATION) as source:
        for _ in range(40):
            assert reason(await source.read(airbyte.ask(days=1))).endswith("400 Bad Request")
    assert airbyte.count(path) == 1


async def test_a_check_never_raises(airbyte: AirbyteWorld) -> None:
    """An Airbyte that is down is one line per API, each with what to do."""
    for path in (TOKEN, "/api/public/v1/applications/token"):
        airbyte.faults[path].extend([Fault(status=400)] * 9)
    async with airbyte.source(APPLICATION) as source:
        lines = await source.check()
    assert len(lines) == 2
    assert all(line.problem and "400 Bad Request" in line.problem and line.fix for line in lines)


# ── options ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_kind_is_known() -> None:
    """The directory's ``kind = "airbyte"`` finds it."""
    assert kinds()["airbyte"].options is AirbyteOptions


@pytest.mark.parametrize(
    ("url", "shown", "config", "public"),
    [
        (
            "https://airbyte.acme.example",
            "https://airbyte.acme.example",
            "https://airbyte.acme.example/api/v1",
            "https://airbyte.acme.example/api/public/v1",
        ),
        (
            "http://localhost:8000/airbyte/api/v1/",
            "http://localhost:8000/airbyte",
            "http://localhost:8000/airbyte/api/v1",
            "http://localhost:8000/airbyte/api/public/v1",
        ),
        (
            "https://cloud.airbyte.com",
            "https://api.airbyte.com",
            "https://cloud.airbyte.com/api/v1",
            "https://api.airbyte.com/v1",
        ),
        (
            "https://api.airbyte.com/v1",
            "https://api.airbyte.com",
            "https://cloud.airbyte.com/api/v1",
            "https://api.airbyte.com/v1",
        ),
    ],
)
def test_where_the_two_apis_are(url: str, shown: str, config: str, public: str) -> None:
    """One host for a self-managed Airbyte, two for the cloud, however much of the path was written."""
    found = addresses(url)
    assert (found.shown, found.config, found.public) == (shown, config, public)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"url": "airbyte.acme.example"},
        {"url": "https://user:secret@airbyte.acme.example"},
        {"url": "https://a.example", "client_id_env": "ID"},
        {"url": "https://a.example", "user": "airbyte"},
        {"url": "https://a.example", "password_env": "SECRET"},
        {"url": "https://a.example", **APPLICATION, "user": "u", "password_env": "P"},
        {"url": "https://a.example", "api": "private"},
        {"url": "https://a.example", "client_id": "x"},
        {"url": "https://a.example", "timeout_s": 0},
        {"url": "https://a.example", "timeout_s": 60},
    ],
)
def test_options_that_are_wrong(options: dict[str, object]) -> None:
    """Half of a pair, two ways in at once, a secret in the file, and unknown keys stop the start."""
    with pytest.raises(ValidationError):
        AirbyteOptions.model_validate(options)


async def test_a_secret_that_is_not_set_stops_the_start(airbyte: AirbyteWorld) -> None:
    """The environment variable is named."""
    with pytest.raises(BotError, match="AIRBYTE_SECRET is not set"):
        async with airbyte.source(APPLICATION, Directory.empty(), {"AIRBYTE_ID": "x"}):
            pass
