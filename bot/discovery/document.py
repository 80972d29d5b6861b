"""Writes proposals into a TOML document that people edit: what they changed, removed or refused stays so. Pure.

Every value of ours carries its own copy in a comment: ``stream = "orders"  # discovered "orders", 70 % sure: …``.
A value that differs from its copy is a person's. Every table of ours lists what was once proposed in it, so a line
that is gone was removed by a person; a table that is commented out was refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from bot.discovery.matching import WORTH_WRITING, Proposal, Said, Value
from bot.ports import BotError

MARK: Final = "discovered"
_COPY: Final = re.compile(rf"^#\s*{MARK} (?P<copy>.+?), \d+ % sure")
_ONCE: Final = re.compile(rf"^#\s*{MARK}: (?P<fields>.*)$", re.MULTILINE)
_REFUSED: Final = re.compile(r'^\s*#+\s*\[datasets\.(?:"(?P<quoted>[^"]+)"|(?P<bare>[\w-]+))\]')
_IDENTITY: Final = ("relation", "dbt_node")

HEADER: Final = (
    "Datasets that rca-bot discover proposed. Correct what is wrong: a value that you change, a line that you",
    "remove and a table that you comment out stay as you left them when discover runs again.",
)


class DiscoveryError(BotError):
    """The file cannot be added to; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The new text, and what became of each proposal; ``suggested`` is for files that discover does not write."""

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    kept: tuple[str, ...]
    refused: tuple[str, ...]


def write(text: str, proposals: Iterable[Proposal], tenant: str) -> Written:
    """Return *text* with the proposals of one tenant's datasets in it.

    Args:
        text: the file as it is; empty when there is none yet.
        proposals: what to say.
        tenant: whose datasets they are.

    Raises:
        DiscoveryError: the text is no TOML, or its datasets are no tables.
    """
    document = _read(text)
    datasets = _datasets(document)
    refused = {
        found["quoted"] or found["bare"]
        for found in map(_REFUSED.match, text.splitlines())
        if found
    }
    outcome: dict[str, list[str]] = {"added": [], "changed": [], "kept": [], "refused": []}
    for proposal in proposals:
        key = _key_of(proposal, datasets) or proposal.name
        if key not in datasets and key in refused:
            outcome["refused"].append(key)
        elif key not in datasets:
            datasets.add(key, _new_table(proposal, tenant))
            outcome["added"].append(key)
        else:
            changed = _update(datasets, key, proposal)
            outcome["changed" if changed else "kept"].append(key)
    return Written(text=tomlkit.dumps(document), **{k: tuple(v) for k, v in outcome.items()})


def _read(text: str) -> tomlkit.TOMLDocument:
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise DiscoveryError(f"the file is no TOML: {error}") from None
    if not text.strip():
        for line in HEADER:
            document.add(tomlkit.comment(line))
    return document


def _datasets(document: tomlkit.TOMLDocument) -> Table:
    if "datasets" not in document:
        document.add("datasets", tomlkit.table(is_super_table=True))
    found: Any = document["datasets"]
    if not isinstance(found, Mapping) or not all(isinstance(e, Mapping) for e in found.values()):
        raise DiscoveryError("datasets: each must be a table, [datasets.NAME]")
    return found  # type: ignore[return-value]  # a table, or the same put together from several places


def _key_of(proposal: Proposal, datasets: Mapping[str, Any]) -> str | None:
    """The table that speaks of the same thing already, whatever a person has called it."""
    for field in _IDENTITY:
        wanted = proposal.said.get(field)
        if wanted is None:
            continue
        for key, table in datasets.items():
            if str(table.get(field, "")).casefold() == str(wanted.value).casefold():
                return key
    return None


def _new_table(proposal: Proposal, tenant: str) -> Table:
    table = tomlkit.table()
    table.add("tenant", tenant)
    sure, unsure = _split(proposal.said)
    for field, said in sure.items():
        table.add(field, _item(said))
    for field, said in unsure.items():
        table.add(tomlkit.comment(f"{field} = {_copy(said.value)}  # {_unwritten(said)}"))
    for line in _notes(proposal):
        table.add(tomlkit.comment(line))
    table.add(tomlkit.comment(f"{MARK}: {', '.join(sure)}"))
    table.add(tomlkit.nl())
    return table


def _split(said: Mapping[str, Said]) -> tuple[dict[str, Said], dict[str, Said]]:
    sure = {field: one for field, one in said.items() if one.sureness >= WORTH_WRITING}
    return sure, {field: one for field, one in said.items() if field not in sure}


def _notes(proposal: Proposal) -> Iterator[str]:
    if proposal.checks:
        yield f"checks: {', '.join(proposal.checks[:10])}"
    for sentence in proposal.missing:
        yield f"missing: {sentence}"


def _update(datasets: Table, key: str, proposal: Proposal) -> bool:
    """Bring our own lines up to date and add new ones; return whether anything changed."""
    table: Any = datasets[key]
    once = _once(table)
    sure, _ = _split(proposal.said)
    changed = False
    for field, said in sure.items():
        if field in table:
            changed |= _refresh(table, field, said)
        elif field not in once:
            _add(table, field, said)
            changed = True
    if changed:
        _remember(table, (*once, *(field for field in sure if field not in once)))
    return changed


def _refresh(table: Any, field: str, said: Said) -> bool:  # noqa: ANN401 - tomlkit's own kinds
    """Replace a value of ours that has changed; a person's value is left alone."""
    item = table.value.item(field)  # the table itself would give a bare bool, without its comment
    copy = _COPY.match(item.trivia.comment)
    is_ours = copy is not None and copy["copy"] == _copy(item.unwrap())
    if not is_ours or _copy(item.unwrap()) == _copy(said.value):
        return False
    table[field] = _item(said)
    return True


def _add(table: Any, field: str, said: Said) -> None:  # noqa: ANN401 - tomlkit's own kinds
    table[field] = _item(said)


def _once(table: Any) -> tuple[str, ...]:  # noqa: ANN401 - tomlkit's own kinds
    found = _ONCE.search(table.as_string())
    return (
        tuple(field.strip() for field in found["fields"].split(",") if field.strip())
        if found
        else ()
    )


def _remember(table: Any, fields: Sequence[str]) -> None:  # noqa: ANN401 - tomlkit's own kinds
    """Rewrite the list of what was once proposed, or add one."""
    line = f"# {MARK}: {', '.join(fields)}"
    for _, item in table.value.body:
        if _ONCE.match(item.trivia.comment):
            item.trivia.comment = line
            return
    table.add(tomlkit.comment(line.removeprefix("# ")))


def _item(said: Said) -> Any:  # noqa: ANN401 - tomlkit's own kinds
    value = said.value
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    item = tomlkit.item(list(whole) if isinstance(whole, tuple) else whole)
    item.comment(f"{MARK} {_copy(whole)}, {_percent(said)} sure: {_one_line(said.why)}")
    return item


def _copy(value: Value | list[str]) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _percent(said: Said) -> str:
    return f"{100.0 * said.sureness:.0f} %"


def _unwritten(said: Said) -> str:
    """Why a value stands in a comment; one that the directory cannot take is no question of how sure we are."""
    how_sure = f", only {_percent(said)} sure" if said.sureness > 0.0 else ""
    return f"left to you{how_sure}: {_one_line(said.why)}"


def _one_line(text: str) -> str:
    """Text of a source, as a comment may hold it: one line, no control characters."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]
