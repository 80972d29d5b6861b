"""What people changed in the file stays changed, however often discover runs."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.directory import Directory
from bot.discovery.document import DiscoveryError, Written, write
from bot.discovery.matching import Proposal, Said, Value

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20
)


def said(value: Value, sureness: float = 1.0, why: str = "named by dbt") -> Said:
    """One value."""
    return Said(value=value, sureness=sureness, why=why)


ORDERS = Proposal(
    name="shopify_orders",
    said={
        "relation": said("raw.shopify.orders"),
        "connector_id": said("9f0c", 0.85),
        "expected_sync_interval_s": said(3600.0),
        "merchant_facing": said(value=True),
        "owner": said("nobody", 0.0),
        "dbt_node": said("source.shop.shopify.orders", 0.4),
    },
    checks=("row_count",),
    missing=("no time_column is known",),
)


def first(*proposals: Proposal) -> str:
    """The file as discover writes it the first time."""
    return write("", proposals or (ORDERS,), "acme").text


def again(text: str, *proposals: Proposal) -> Written:
    """What the next run makes of the file."""
    return write(text, proposals or (ORDERS,), "acme")


def table(text: str, key: str = "shopify_orders") -> dict[str, object]:
    """One dataset as the directory reads it."""
    found: dict[str, object] = tomllib.loads(text)["datasets"][key]
    return found


def test_the_file_is_the_directorys() -> None:
    """What is written can be loaded; what is not sure stands in a comment, with what is missing."""
    text = first()
    assert table(text) == {
        "tenant": "acme",
        "relation": "raw.shopify.orders",
        "connector_id": "9f0c",
        "expected_sync_interval_s": 3600,
        "merchant_facing": True,
    }
    assert Directory.model_validate(
        {"datasets": {"shopify_orders": {"name": "shopify_orders", **table(text)}}}
    )
    assert '# owner = "nobody"  # left to you: named by dbt' in text
    assert '"source.shop.shopify.orders"  # left to you, only 40 % sure: named by dbt' in text
    assert "# missing: no time_column is known" in text
    assert "85 % sure: named by dbt" in text


def test_a_second_run_changes_nothing() -> None:
    """The same sources, the same file, to the byte."""
    text = first()
    written = again(text)
    assert written.text == text
    assert (written.added, written.changed, written.kept) == ((), (), ("shopify_orders",))


def test_a_list_is_ours_until_somebody_changes_it() -> None:
    """Dimensions are written as a list, follow the statistics, and stay as a person leaves them."""
    with_list = replace(ORDERS, said={**ORDERS.said, "dimensions": said(("country", "channel"))})
    text = first(with_list)
    assert table(text)["dimensions"] == ["country", "channel"]
    assert again(text, with_list).text == text
    other = replace(ORDERS, said={**ORDERS.said, "dimensions": said(("plan",))})
    assert table(again(text, other).text)["dimensions"] == ["plan"]
    mine = text.replace('dimensions = ["country", "channel"]', 'dimensions = ["country"]')
    assert table(again(mine, other).text)["dimensions"] == ["country"]


def test_the_sources_changed_their_mind() -> None:
    """A value that is still ours follows them."""
    moved = replace(ORDERS, said={**ORDERS.said, "connector_id": said("77aa")})
    written = again(first(), moved)
    assert table(written.text)["connector_id"] == "77aa"
    assert written.changed == ("shopify_orders",)


@pytest.mark.parametrize(
    "line", ['connector_id = "mine"', 'connector_id = "mine" # discovered "9f0c", 85 % sure: x']
)
def test_a_corrected_value_stays(line: str) -> None:
    """Whether or not our comment was left beside it."""
    text = "\n".join(
        line if old.startswith("connector_id") else old for old in first().splitlines()
    )
    moved = replace(ORDERS, said={**ORDERS.said, "connector_id": said("77aa")})
    assert table(again(text, moved).text)["connector_id"] == "mine"


def test_a_removed_line_stays_removed() -> None:
    """A wrong match that a person deleted does not come back."""
    lines = [line for line in first().splitlines() if not line.startswith("connector_id")]
    assert "connector_id" not in table(again("\n".join(lines)).text)


def test_something_new_is_added_to_what_is_there() -> None:
    """A field that was never proposed before is; and it is ours from then on."""
    more = replace(ORDERS, said={**ORDERS.said, "dbt_node": said("source.shop.shopify.orders")})
    written = again(first(), more)
    assert table(written.text)["dbt_node"] == "source.shop.shopify.orders"
    assert again(written.text, more).text == written.text
    gone = [line for line in written.text.splitlines() if not line.startswith("dbt_node")]
    assert "dbt_node" not in table(again("\n".join(gone), more).text)


def test_a_dataset_that_was_refused() -> None:
    """Commented out is refused, and said so."""
    text = "\n".join(f"# {line}" if line else line for line in first().splitlines())
    written = again(text)
    assert written.refused == ("shopify_orders",)
    assert (
        "datasets" not in tomllib.loads(written.text) or not tomllib.loads(written.text)["datasets"]
    )


def test_a_renamed_dataset_is_the_same() -> None:
    """A person calls it otherwise; it is known by its relation and gets no twin."""
    text = first().replace("[datasets.shopify_orders]", "[datasets.gmv]")
    written = again(text)
    assert list(tomllib.loads(written.text)["datasets"]) == ["gmv"]


def test_the_rest_of_a_persons_file() -> None:
    """Other tables, comments and order stay to the byte."""
    mine = (
        '# our teams\n[teams.infra]\nname = "Infra"   # ask Dana\n\n[tenants.acme]\nname = "Acme"\n'
    )
    text = again(mine).text
    assert text.startswith(mine)
    assert table(text)["connector_id"] == "9f0c"


@pytest.mark.parametrize("text", ["[datasets", "datasets = 3", "[datasets]\nx = 1"])
def test_a_file_that_cannot_be_added_to(text: str) -> None:
    """It is said, and nothing is guessed."""
    with pytest.raises(DiscoveryError):
        again(text)


@given(name=WORDS, relation=WORDS, why=WORDS)
def test_any_names(name: str, relation: str, why: str) -> None:
    """Whatever sources call things, the file can be read, says the same, and a second run changes nothing."""
    proposal = Proposal(name=name, said={"relation": said(relation, why=why)})
    text = first(proposal)
    assert table(text, name)["relation"] == relation
    assert again(text, proposal).text == text
