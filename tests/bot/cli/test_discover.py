"""``rca-bot discover`` proposes to one tenant nothing that the directory gives to another."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.discover import _parted
from bot.directory import Directory
from bot.discovery.matching import Proposal, Said


@pytest.mark.parametrize("tenant", ["acme", "beta"])
def test_what_another_file_says_is_not_proposed_again(tmp_path: Path, tenant: str) -> None:
    """Whoever's it is: a relation stands once in a folder, and a source may be shared by tenants."""
    entry = {"name": "sales", "tenant": tenant, "relation": "RAW.shop.Orders"}
    directory = Directory.model_validate({"datasets": {"sales": entry}})
    taken, free = (
        Proposal(name=name, said={"relation": Said(value=relation, sureness=1.0, why="dbt")})
        for name, relation in (("orders", "raw.shop.orders"), ("refunds", "raw.shop.refunds"))
    )
    target = tmp_path / "discovered.toml"
    assert _parted((taken, free), directory, tmp_path, target) == ((free,), (taken,))
