"""Which node of a lineage a dataset is that no dbt project knows."""

from __future__ import annotations

import pytest

from bot.catalog import placed
from rca.case import Dataset, Lineage

LINEAGE = Lineage(
    parents={
        "shop.mart.gmv": ("model.shop.gmv",),
        "model.shop.gmv": ("shop.raw.orders", "other.raw.orders", "shop.raw.users"),
    }
)


@pytest.mark.parametrize(
    ("relation", "node"),
    [
        ("shop.mart.gmv", "shop.mart.gmv"),
        ("SHOP.Mart.GMV", "shop.mart.gmv"),
        ("mart.gmv", "shop.mart.gmv"),
        ("raw.users", "shop.raw.users"),
        ("shop.raw.orders", "shop.raw.orders"),
        ("raw.orders", None),
        ("shop.gmv", None),
        ("shop.raw.payments", None),
        (None, None),
    ],
)
def test_a_relation_is_the_node_that_ends_like_it(relation: str | None, node: str | None) -> None:
    """In any case, with or without the database; two that end so are none, and dbt's own nodes are no relations."""
    assert placed(Dataset(name="d", relation=relation), LINEAGE).dbt_node == node


def test_what_the_catalog_says_stands() -> None:
    """A dbt node that is named is kept, and without a lineage there is nothing to find."""
    named = Dataset(name="d", relation="shop.mart.gmv", dbt_node="model.shop.other")
    assert placed(named, LINEAGE) is named
    bare = Dataset(name="d", relation="shop.mart.gmv")
    assert placed(bare, None) is bare
