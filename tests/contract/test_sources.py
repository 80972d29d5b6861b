"""What every source owes, tried with the system it reads switched off: reasons instead of errors, and no secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from bot.directory import Directory, SourceEntry
from bot.ports import Ask, BotError, Source
from bot.sources.registry import SourceKind, kinds, open_all, read_options
from bot.testing import FrozenClock
from rca.case import Dataset, FactKind

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOBODY = "127.0.0.1:9"  # the discard port: nobody listens
SECRET = "hunter2-hunter2"

DOWN: Mapping[str, Mapping[str, object]] = {
    "airbyte": {
        "url": f"http://{NOBODY}",
        "client_id_env": "SOURCE_ID",
        "client_secret_env": "SOURCE_SECRET",
    },
    "dbt": {"artifacts": "/nowhere/at/all"},
    "dbt_cloud": {
        "url": f"http://{NOBODY}",
        "account_id": 1,
        "project_id": 2,
        "token_env": "SOURCE_SECRET",
    },
    "elementary": {"url_env": "SOURCE_URL", "schema": "elementary"},
    "warehouse": {"url_env": "SOURCE_URL"},
}
"""Each kind's options for a system that is not there; a new kind has to add its own."""

SECRETS = {
    "SOURCE_ID": "id",
    "SOURCE_SECRET": SECRET,
    "SOURCE_URL": f"postgresql://reader:{SECRET}@{NOBODY}/shop",
}
ORDERS = Dataset(
    name="shopify_orders",
    relation="raw.shopify.orders",
    connector_id="9f0c2b1e-7d0e-4a59-8a3c-1f2d3e4a5b6c",
    stream="orders",
    dbt_node="source.shop.shopify.orders",
)
ALL = [pytest.param(name, id=name) for name in sorted(DOWN)]


@asynccontextmanager
async def opened(kind: str, **options: object) -> AsyncIterator[Source]:
    """The source of *kind*, as the directory would open it, with its system down."""
    entry = {"id": "here", "kind": kind, **DOWN[kind], **options}
    directory = Directory.model_validate({"sources": {"here": entry}})
    async with (
        aiohttp.ClientSession() as session,
        open_all(directory, SECRETS, session, FrozenClock(NOON)) as sources,
    ):
        (source,) = sources
        yield source


def ask() -> Ask:
    """What an alert of shopify_orders would ask for."""
    return Ask(
        tenant_id="acme",
        dataset=ORDERS,
        as_of=NOON,
        since=NOON - timedelta(days=90),
        time_column="created_at",
        dimensions=("country",),
        segments=(("country", "channel"),),
    )


def test_every_kind_is_tried_here() -> None:
    """A source that is added is held to the same."""
    assert set(kinds()) == set(DOWN)


@pytest.mark.parametrize("kind", ALL)
async def test_it_opens_while_its_system_is_down(kind: str) -> None:
    """A bot starts at three in the morning, whatever else is broken; and the source says who it is."""
    async with opened(kind) as source:
        assert source.source_id == "here"
        assert source.name
        assert source.gives
        assert source.gives <= set(FactKind)
        assert source.covers(ORDERS)
        assert not source.covers(Dataset(name="shopify_orders"))


@pytest.mark.parametrize("kind", ALL)
async def test_what_cannot_be_read_is_a_hole_with_a_reason(kind: str) -> None:
    """Every kind of fact it could give is a hole that names the system; nothing is raised, no secret is said."""
    async with opened(kind) as source:
        facts = await source.read(ask())
    assert {fact for fact, value in facts.found.items() if value is not None} == set()
    assert {hole.fact for hole in facts.holes} == set(source.gives)
    for hole in facts.holes:
        assert kind.partition("_")[0] in hole.reason.casefold() or source.name in hole.reason
        assert len(hole.reason) > 20
        assert SECRET not in hole.reason
        assert "\n" not in hole.reason


@pytest.mark.parametrize("kind", ALL)
async def test_the_doctor_is_told(kind: str) -> None:
    """At least one line says what failed and what to do about it."""
    async with opened(kind) as source:
        lines = await source.check()
    failed = [line for line in lines if line.problem]
    assert failed
    assert all(line.fix for line in failed)
    assert SECRET not in str(lines)


@pytest.mark.parametrize("kind", ALL)
async def test_discover_is_told(kind: str) -> None:
    """Offering nothing would look like an empty system, so it says why it could not be asked."""
    async with opened(kind) as source:
        with pytest.raises(BotError) as refused:
            await source.offers()
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("kind", ALL)
def test_its_options_refuse_what_they_do_not_know(kind: str) -> None:
    """A misspelt key is a mistake that is named with its path."""
    entry = SourceEntry.model_validate({"id": "here", "kind": kind, **DOWN[kind], "colour": "red"})
    with pytest.raises(BotError, match=r"sources\.here\.colour"):
        read_options(entry)


@pytest.mark.parametrize("kind", ALL)
def test_its_kind_is_described(kind: str) -> None:
    """The registry knows it by its name, with a sentence about it and a model of its options."""
    made: SourceKind = kinds()[kind]
    assert made.kind == kind
    assert made.about
    assert "\n" not in made.about
    assert made.options.__doc__
    with pytest.raises(ValidationError):
        made.options.model_validate({"no": "such key"})


@pytest.mark.parametrize("kind", [k for k in ALL if any("_env" in o for o in DOWN[str(k.id)])])
async def test_a_secret_that_is_not_set(kind: str) -> None:
    """The start is refused, with the name of the variable."""
    entry: dict[str, Any] = {"id": "here", "kind": kind, **DOWN[kind]}
    directory = Directory.model_validate({"sources": {"here": entry}})
    async with aiohttp.ClientSession() as session:
        opening = open_all(directory, {}, session, FrozenClock(NOON))
        with pytest.raises(BotError, match="SOURCE_"):
            await opening.__aenter__()
