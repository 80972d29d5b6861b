"""Cards and details as people get them, held against files that review reads."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bot.records import IncidentView
from bot.render import block_kit, limits, plain
from bot.render.incident import card, details
from tests.golden.scenes import NAMES, NOW, SCENES

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("name", SCENES)
def test_a_card_reads_as_agreed(name: str, golden: Golden) -> None:
    """Each state of an incident has its card, in Slack's blocks and in plain words, within Slack's limits."""
    message = card(SCENES[name], NAMES, NOW)
    rendered = block_kit.blocks(message, revision="1")
    assert limits.validate(rendered.blocks) == ()
    assert limits.validate_attachments(rendered.attachments) == ()
    golden(f"{name}.json", json.dumps(rendered.payload(), indent=1, ensure_ascii=False) + "\n")
    golden(f"{name}.txt", plain.text(message) + "\n")


@pytest.mark.parametrize("name", ["open_act", "investigate_with_deadline", "no_signal", "hole"])
def test_details_read_as_agreed(name: str, golden: Golden) -> None:
    """The reply below a card holds the steps, the rules and the evidence of every hypothesis."""
    view: IncidentView = SCENES[name]
    message = details(view, NAMES, NOW)
    rendered = block_kit.blocks(message, revision="1")
    assert limits.validate(rendered.blocks) == ()
    golden(
        f"{name}.details.json", json.dumps(rendered.payload(), indent=1, ensure_ascii=False) + "\n"
    )
    golden(f"{name}.details.txt", plain.text(message) + "\n")
