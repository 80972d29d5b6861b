"""What several sources know of one dataset becomes one proposal; what could be two things is not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discovery.matching import WORTH_WRITING, Proposal, propose
from bot.ports import Offer
from rca.case import Column

NODE = "source.shop.shopify.orders"


def stream(name: str = "orders", title: str = "Shopify to raw", **more: Any) -> Offer:
    """A stream as Airbyte knows it: no relation."""
    return Offer(source_id="airbyte", title=title, connector_id="9f0c", stream=name, **more)


def node(relation: str = "raw.shopify.orders", dbt_node: str = NODE, **more: Any) -> Offer:
    """A node as dbt knows it."""
    return Offer(source_id="dbt", title=dbt_node, relation=relation, dbt_node=dbt_node, **more)


def table(relation: str = "RAW.SHOPIFY.ORDERS", *columns: tuple[str, str]) -> Offer:
    """A table as the warehouse knows it."""
    typed = tuple(Column(name=name, type=kind) for name, kind in columns)
    return Offer(source_id="wh", title=relation, relation=relation, columns=typed or None)


def values(proposal: Proposal) -> Mapping[str, object]:
    """What would be written."""
    said = proposal.said.items()
    return {field: one.value for field, one in said if one.sureness >= WORTH_WRITING}


def test_four_sources_one_dataset() -> None:
    """Stream, node, table and check of shopify's orders are one proposal that says all of it."""
    check = Offer(
        source_id="soda", title="c", relation="shopify.orders", check_name="row_count > 0"
    )
    offers = (
        stream(expected_sync_interval_s=3600.0),
        node(merchant_facing=True),
        table("RAW.SHOPIFY.ORDERS", ("created_at", "timestamp with time zone")),
        check,
    )
    (found,) = propose(offers)
    assert found.name == "shopify_orders"
    assert {name.casefold() for name in (str(values(found)["relation"]),)} == {"raw.shopify.orders"}
    assert values(found) | {"relation": ""} == {
        "relation": "",
        "connector_id": "9f0c",
        "stream": "orders",
        "dbt_node": NODE,
        "expected_sync_interval_s": 3600.0,
        "time_column": "created_at",
        "merchant_facing": True,
    }
    assert found.checks == ("row_count > 0",)
    assert found.missing == ()


@pytest.mark.parametrize(
    ("other", "alone"),
    [
        ('"raw"."shopify"."orders"', 1),
        ("`RAW`.`Shopify`.`Orders`", 1),
        ("shopify.orders", 1),
        ("orders", 1),
        ("raw.stripe.orders", 2),
        ("raw.shopify.orders_v2", 2),
    ],
)
def test_relations_in_any_writing(other: str, alone: int) -> None:
    """Case and quoting never matter; a shorter name is the longer one that ends in it; another is another."""
    assert len(propose((node(), node(other, "model.shop.other")))) == alone


def test_a_short_name_that_two_relations_end_in() -> None:
    """It stays a dataset of its own rather than being given to one of them."""
    offers = (
        node("raw.shopify.orders", "source.a"),
        node("raw.stripe.orders", "source.b"),
        node("orders", "model.c"),
    )
    assert len(propose(offers)) == 3


def test_the_schema_makes_a_stream_surer() -> None:
    """A connection that is called after the schema is surer than the table's name alone."""
    (named,) = propose((stream(title="Shopify to raw"), node()))
    (bare,) = propose((stream(title="Connection 7"), node()))
    assert named.said["connector_id"].sureness > bare.said["connector_id"].sureness
    assert bare.said["connector_id"].sureness >= WORTH_WRITING


def test_a_stream_that_could_be_two_tables() -> None:
    """Neither gets it, and each says which other it could be."""
    offers = (
        stream(title="Connection 7"),
        node(),
        node("raw.stripe.orders", "source.shop.b.orders"),
    )
    found = propose(offers)
    assert all("connector_id" not in each.said for each in found)
    assert all(any("could be this one" in line for line in each.missing) for each in found)


def test_a_stream_fills_a_source_and_no_model() -> None:
    """A model of the same name is not what a connection writes."""
    offers = (stream(title="Connection 7"), node(), node("shop.main.orders", "model.shop.orders"))
    found = {each.name: each for each in propose(offers)}
    assert values(found["shopify_orders"])["connector_id"] == "9f0c"
    assert "connector_id" not in found["orders"].said


def test_a_stream_without_any_table() -> None:
    """It is a dataset of its own, of which syncs alone can be judged, and that is said."""
    (found,) = propose((stream("refunds"),))
    assert (found.name, values(found)["stream"]) == ("refunds", "refunds")
    assert any("no relation was found" in line for line in found.missing)


def test_tables_that_nobody_speaks_of() -> None:
    """A warehouse holds thousands; they are proposed only when asked for."""
    assert propose((table("raw.tmp.x"),)) == ()
    assert len(propose((table("raw.tmp.x"),), every_table=True)) == 1


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ((("updated_at", "timestamp"), ("created_at", "timestamp")), "created_at"),
        ((("CREATED_AT", "TIMESTAMP_NTZ"),), "CREATED_AT"),
        ((("created_at", "varchar"),), None),
        ((("birthday", "date"),), None),
    ],
)
def test_the_time_column(columns: tuple[tuple[str, str], ...], expected: str | None) -> None:
    """Of the names that usually say when a row came to be, the surest one whose type is a time."""
    (found,) = propose((node(), table("raw.shopify.orders", *columns)))
    assert values(found).get("time_column") == expected


def test_the_warehouse_knows_its_columns_best() -> None:
    """A column that only dbt still speaks of is not what days are counted by."""
    stale = node(columns=(Column(name="created_at", type="timestamp"),))
    (found,) = propose((stale, table("raw.shopify.orders", ("loaded_at", "timestamp"))))
    assert values(found)["time_column"] == "loaded_at"


def test_dimensions_need_a_time_column() -> None:
    """Columns of few values are proposed where rows can be counted by day, and nowhere else."""
    few = Offer(
        source_id="wh",
        title="t",
        relation="raw.shopify.orders",
        columns=(Column(name="created_at", type="timestamp"),),
        dimensions=("country", "channel"),
    )
    (found,) = propose((node(), few))
    assert values(found)["dimensions"] == ("country", "channel")
    (bare,) = propose((node(), replace(few, columns=None)))
    assert "dimensions" not in bare.said


@pytest.mark.parametrize(
    ("owners", "written"), [(frozenset({"infra"}), True), (frozenset(), False)]
)
def test_an_owner_must_be_known(owners: frozenset[str], *, written: bool) -> None:
    """An owner that the directory does not know would stop the start: it is shown, not written."""
    (found,) = propose((node(owner="infra"),), owners=owners)
    assert ("owner" in values(found)) is written
    assert "owner" in found.said


NAMES = st.lists(
    st.sampled_from(["raw", "shop", "orders", "a", "B", "ö", "x y", "q;'\""]),
    min_size=1,
    max_size=3,
)
OFFERS = st.lists(
    st.builds(
        Offer,
        source_id=st.sampled_from(["airbyte", "dbt", "wh"]),
        title=st.text(max_size=10),
        relation=st.none() | NAMES.map(".".join),
        connector_id=st.none() | st.just("c"),
        stream=st.none() | st.sampled_from(["orders", "a"]),
        dbt_node=st.none() | st.sampled_from(["model.p.a", "source.p.s.orders"]),
    ),
    max_size=12,
)


@given(offers=OFFERS, shuffled=st.randoms())
def test_any_offers_in_any_order(offers: list[Offer], shuffled: Any) -> None:
    """Names are told apart and need no quotes, sureness is a share, and the order of the sources changes no match."""
    found = propose(offers, every_table=True)
    names = [each.name for each in found]
    assert len(set(names)) == len(names)
    assert all(name and all(c.isalnum() or c in "_-" for c in name) for name in names)
    assert all(0.0 <= said.sureness <= 1.0 for each in found for said in each.said.values())
    again = list(offers)
    shuffled.shuffle(again)
    assert {each.name for each in propose(again, every_table=True)} == set(names)
