"""``rca-bot discover``: asks the sources what they know and writes the datasets into the directory's TOML."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tomllib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
from rich.console import Console
from rich.table import Table

from bot.cli.verb import Verb
from bot.clock import system_clock
from bot.directory import Directory
from bot.discovery.document import Written, write
from bot.discovery.matching import Proposal, propose
from bot.ports import BotError, Offer, Source
from bot.settings import Settings
from bot.sources.registry import open_all

OWN_FILE: Final = "discovered.toml"  # in a folder of files
SECONDS: Final = 120  # to ask all sources; a manifest of thousands of models takes some
SHOWN: Final = 50  # datasets in the table


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", help="whose datasets; needed where the directory has several")
    parser.add_argument("--dry-run", action="store_true", help="print the file, write nothing")
    parser.add_argument(
        "--all", action="store_true", help="also tables that only the warehouse knows"
    )


def _run(arguments: argparse.Namespace) -> int:
    settings = Settings.for_tools(os.environ)
    path = settings.directory_path
    if path is None:
        raise BotError("DIRECTORY is not set: discover writes the datasets there")
    directory = settings.directory
    tenant = _tenant(arguments.tenant, directory)
    target = path / OWN_FILE if path.is_dir() else path
    offers = asyncio.run(_offers(settings, tenant))
    owners = frozenset((*directory.teams, *directory.people))
    proposals = propose(offers, owners=owners, every_table=arguments.all)
    mine, elsewhere = _parted(proposals, directory, path, target)
    text = target.read_text("utf-8") if target.is_file() else ""
    written = write(text, mine, tenant)
    if arguments.dry_run:
        print(written.text)
    else:
        _replace(target, written.text, path)
    _tell(mine, elsewhere, written, None if arguments.dry_run else target)
    return 0


def _tenant(asked: str | None, directory: Directory) -> str:
    known = tuple(directory.tenants)
    if asked is None and len(known) == 1:
        return known[0]
    if asked in known:
        return str(asked)
    listed = ", ".join(known) or "none; add one to the directory first"
    raise BotError(f"--tenant must name one of the directory's tenants: {listed}")


async def _offers(settings: Settings, tenant: str) -> tuple[Offer, ...]:
    """Everything that the tenant's sources know; one that cannot be asked is named and left out."""
    secrets = {name: each.get_secret_value() for name, each in settings.secrets.items()}
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        opening = open_all(settings.directory, secrets, session, system_clock)
        sources = await stack.enter_async_context(opening)
        mine = [s for s in sources if _serves(s, settings.directory, tenant)]
        if not mine:
            raise BotError(
                f"the directory names no source for tenant {tenant}: add a table such as "
                "[sources.airbyte]; docs/how-to has a page for each kind"
            )
        found = [await _ask(source) for source in mine]
    return tuple(offer for offers in found for offer in offers)


def _serves(source: Source, directory: Directory, tenant: str) -> bool:
    return directory.sources[source.source_id].tenant in (None, tenant)


async def _ask(source: Source) -> tuple[Offer, ...]:
    print(f"asking {source.name} …", file=sys.stderr)
    try:
        async with asyncio.timeout(SECONDS):
            offers = await source.offers()
    except TimeoutError:
        print(f"  no answer within {SECONDS} s; left out", file=sys.stderr)
        return ()
    except BotError as error:
        print(f"  left out: {error}", file=sys.stderr)
        return ()
    print(f"  {len(offers)} found", file=sys.stderr)
    return offers


def _parted(
    proposals: Sequence[Proposal], directory: Directory, path: Path, target: Path
) -> tuple[tuple[Proposal, ...], tuple[Proposal, ...]]:
    """Those that the target file is to say, and those that another file of the folder says already."""
    if path == target:
        return tuple(proposals), ()
    own = Directory.model_validate(_only_datasets(target)) if target.is_file() else None
    known = {(e.name, e.relation, e.dbt_node) for e in (own.entries.values() if own else ())}
    others = [  # of every tenant: what one of them has is not proposed to another
        entry
        for entry in directory.entries.values()
        if (entry.name, entry.relation, entry.dbt_node) not in known
    ]
    relations = {e.relation.casefold() for e in others if e.relation}
    nodes = {e.dbt_node.casefold() for e in others if e.dbt_node}
    names = {e.name for e in others}

    def is_elsewhere(each: Proposal) -> bool:
        relation, node = (each.said.get(field) for field in ("relation", "dbt_node"))
        return (
            each.name in names
            or (relation is not None and str(relation.value).casefold() in relations)
            or (node is not None and str(node.value).casefold() in nodes)
        )

    elsewhere = tuple(each for each in proposals if is_elsewhere(each))
    return tuple(each for each in proposals if each not in elsewhere), elsewhere


def _only_datasets(target: Path) -> dict[str, object]:
    """The datasets of one file, without the tables of the other files that they refer to."""
    tables = tomllib.loads(target.read_text("utf-8")).get("datasets", {})
    return {"datasets": {key: {"name": key, **table} for key, table in tables.items()}}


def _replace(target: Path, text: str, directory: Path) -> None:
    """Put the new text in place of the old, unless the bot could not start with it.

    Raises:
        BotError: the directory would have problems; the file is as it was.
    """
    before = target.read_bytes() if target.is_file() else None
    draft = target.with_name(f".{target.name}.draft")
    draft.write_text(text, "utf-8")
    draft.replace(target)
    try:
        Directory.load(directory)
    except BotError as error:
        if before is None:
            target.unlink()
        else:
            draft.write_bytes(before)
            draft.replace(target)
        raise BotError(
            f"nothing was written, since the bot could not start with it. {error}"
        ) from None


def _tell(
    proposals: Sequence[Proposal],
    elsewhere: Sequence[Proposal],
    written: Written,
    target: Path | None,
) -> None:
    table = Table("dataset", "sure", "matched", "missing or unclear")
    for each in proposals[:SHOWN]:
        matched = [field for field, said in each.said.items() if said.sureness > 0.0]
        table.add_row(
            each.name, f"{100 * each.sureness:.0f} %", ", ".join(matched), "; ".join(each.missing)
        )
    Console(markup=False, stderr=True).print(table)
    counts = (
        f"{len(written.added)} new, {len(written.changed)} changed, {len(written.kept)} as they were, "
        f"{len(written.refused)} refused by you"
    )
    print(f"{counts}: {target or 'nothing was written'}", file=sys.stderr)
    if elsewhere:
        names = ", ".join(each.name for each in elsewhere)
        print(f"other files of the directory speak of these already: {names}", file=sys.stderr)


VERB: Final = Verb(
    name="discover",
    help="propose datasets from what the sources know, and write them into the directory",
    declare=_declare,
    run=_run,
)
