"""Finding what a user can click in a message or a view, and what a click on it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.records import Json, SandboxError


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An interactive element and the block it stands in."""

    block_id: str
    body: Json

    @property
    def action_id(self) -> str:
        """The element's own id."""
        return str(self.body.get("action_id", ""))


def elements_of(blocks: Iterable[Json]) -> Iterator[Element]:
    """Yield every element with an ``action_id`` in these blocks."""
    for block in blocks:
        inside = [block.get("accessory"), block.get("element")]
        listed = block.get("elements")
        inside += listed if isinstance(listed, list) else []
        for body in inside:
            if isinstance(body, dict) and isinstance(body.get("action_id"), str):
                yield Element(block_id=str(block.get("block_id", "")), body=body)


def find(blocks: Iterable[Json], action_id: str) -> Element:
    """Return the element of this ``action_id``.

    Raises:
        SandboxError: there is none; the text lists those there are.
    """
    elements = tuple(elements_of(blocks))
    for element in elements:
        if element.action_id == action_id:
            return element
    there = ", ".join(sorted(one.action_id for one in elements)) or "none"
    raise SandboxError(f"no element {action_id!r} to click; there are: {there}")


def action_of(element: Element, action_ts: str, choice: str | None = None) -> dict[str, Any]:
    """Return the ``actions[]`` entry of a click, or of choosing the option whose value is *choice*.

    Raises:
        SandboxError: the element has no such option.
    """
    body = element.body
    action: dict[str, Any] = {
        "action_id": element.action_id,
        "block_id": element.block_id,
        "type": body.get("type"),
        "action_ts": action_ts,
    }
    action |= {key: body[key] for key in ("text", "value", "style") if key in body}
    if choice is not None:
        action["selected_option"] = option_of(element, choice)
    return action


def option_of(element: Element, choice: str) -> Json:
    """Return the option whose value is *choice*; for a list the app fills, an option made of it.

    Raises:
        SandboxError: the element has no such option.
    """
    if element.body.get("type") == "external_select":
        return {"text": {"type": "plain_text", "text": choice}, "value": choice}
    options = element.body.get("options")
    for option in options if isinstance(options, list) else []:
        if isinstance(option, dict) and option.get("value") == choice:
            return option
    raise SandboxError(f"{element.action_id!r} has no option {choice!r}")
