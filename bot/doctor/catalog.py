"""The catalog: can every dataset be diagnosed with what the directory and the sources say about it? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bot.directory import DatasetEntry, Directory
from bot.ports import Checked, Source
from rca.case import Dataset

WHAT: Final = "the catalog says enough about every dataset"
FIX: Final = "rca-bot discover proposes what is missing"
IDENTITIES: Final = ("connector_id", "relation", "dbt_node")  # by which sources know a dataset


def examine_catalog(
    directory: Directory, sources: Sequence[Source], stored: Mapping[str, frozenset[str]]
) -> tuple[Checked, ...]:
    """Return one line per thing that keeps a dataset from being diagnosed well.

    Args:
        directory: who is who.
        sources: those that the directory names and that could be opened.
        stored: the names of the datasets that have facts already, by tenant.
    """
    problems = tuple(_problems(directory, sources, stored))
    return problems or (Checked(what=WHAT),)


def _problems(
    directory: Directory, sources: Sequence[Source], stored: Mapping[str, frozenset[str]]
) -> Iterator[Checked]:
    if not directory.tenants:
        yield Checked(
            what=WHAT,
            problem="the directory names no tenant",
            fix="point DIRECTORY at a file like deploy/directory.example.toml",
        )
        return
    for tenant_id, tenant in directory.tenants.items():
        if tenant.incident_channel is None:
            yield Checked(
                what=f"tenant {tenant_id} has a channel for incidents without a thread",
                problem="webhooks and scans have nowhere to be answered",
                fix=f"set tenants.{tenant_id}.incident_channel",
            )
    if not directory.entries and not any(stored.values()):
        yield Checked(what=WHAT, problem="there is no dataset", fix=FIX)
    for key, entry in directory.entries.items():
        yield from _of_entry(key, entry, sources, stored.get(entry.tenant, frozenset()))


def _of_entry(
    key: str, entry: DatasetEntry, sources: Sequence[Source], stored: frozenset[str]
) -> Iterator[Checked]:
    dataset = entry.dataset()
    if entry.name not in stored and not any(source.covers(dataset) for source in sources):
        yield Checked(
            what=WHAT,
            problem=f"datasets.{key}: no source knows it and nothing was ever sent about it",
            fix=_way_to_be_known(dataset, sources),
        )
    if (entry.dimensions or entry.segments) and entry.time_column is None:
        yield Checked(
            what=WHAT,
            problem=f"datasets.{key}: dimensions without time_column are never counted",
            fix=f"set datasets.{key}.time_column",
        )


def _way_to_be_known(dataset: Dataset, sources: Sequence[Source]) -> str:
    if not sources:
        return (
            "name what you run as a source in the directory; docs/how-to has a page for each kind"
        )
    named = [key for key in IDENTITIES if getattr(dataset, key)]
    if not named:
        return f"give it a {', a '.join(IDENTITIES[:-1])} or a {IDENTITIES[-1]}; {FIX}"
    return f"compare its {' and '.join(named)} with what the sources have; rca-bot discover --dry-run lists it"
