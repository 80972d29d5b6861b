"""Which dataset an alert means: names in any case and quoting, resolved against what the tenant has. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from heapq import nlargest
from typing import Final

from rca.case import Dataset, Lineage

MAX_NAME: Final = 500  # characters; a longer text is not a name, and comparing it would cost time
MAX_CACHED: Final = 20_000  # names split once: a catalog is built anew for every alert
NEAR_CUTOFF: Final = 0.6  # difflib's own default ratio: about two letters wrong in five
MAX_COMPARED: Final = (
    200  # names compared letter by letter, 60 µs each; those that share most pairs of letters
)

_PART: Final = re.compile(r'"([^"]*)"|`([^`]*)`|\[([^\]]*)\]|([^."`\[\]]+)')
_DBT_ID: Final = re.compile(r"^(?:model|source|seed|snapshot)\.[^.]+\..+$")

Parts = tuple[str, ...]


def parts_of(name: str) -> Parts:
    """Split a name as a warehouse or dbt writes it: ``"DB"."Schema"."T"`` gives ``("db", "schema", "t")``.

    A dot inside quotes belongs to the name; case never matters.
    """
    return _parts(name[:MAX_NAME])


@lru_cache(maxsize=MAX_CACHED)
def _parts(name: str) -> Parts:
    found = ("".join(groups) for groups in _PART.findall(name))
    return tuple(part for part in (text.strip().casefold() for text in found) if part)


def _alike(wanted: str, names: Iterable[str]) -> list[str]:
    """Return the names worth comparing letter by letter, those that share most pairs of letters first."""
    pairs = _pairs(wanted)
    return nlargest(MAX_COMPARED, names, key=lambda name: len(pairs & _pairs(name[:MAX_NAME])))


def _pairs(text: str) -> set[str]:
    return {text[start : start + 2] for start in range(len(text))}


def _is_dbt_id(hint: str) -> bool:
    return _DBT_ID.match(hint.strip().casefold()) is not None


def placed(dataset: Dataset, lineage: Lineage | None) -> Dataset:
    """Return *dataset* with its node in *lineage*, where the catalog names none.

    A relation that no dbt project knows is a node by its own name, as OpenLineage tells it; the sender may say more
    of the name than the catalog. Two nodes that both end so are none.
    """
    wanted = parts_of(dataset.relation or "")
    if dataset.dbt_node is not None or lineage is None or not wanted:
        return dataset
    told = dict.fromkeys(
        (*lineage.parents, *(p for above in lineage.parents.values() for p in above))
    )
    alike = [
        node for node in told if not _is_dbt_id(node) and parts_of(node)[-len(wanted) :] == wanted
    ]
    exact = [node for node in alike if parts_of(node) == wanted] or alike
    return dataset.model_copy(update={"dbt_node": exact[0]}) if len(exact) == 1 else dataset


class Catalog:
    """The datasets of one tenant, and the names by which they can be called.

    Args:
        datasets: in any order; the first of two with the same name is kept.
        aliases: other names, by dataset name.
    """

    def __init__(
        self, datasets: Iterable[Dataset], aliases: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._by_name: dict[str, Dataset] = {}
        self._sure: defaultdict[Parts, set[str]] = defaultdict(set)
        self._suffix: defaultdict[Parts, set[str]] = defaultdict(set)
        self._connector: defaultdict[str, set[str]] = defaultdict(set)
        self._spoken: dict[str, str] = {}
        for dataset in datasets:
            if dataset.name not in self._by_name:
                self._add(dataset, (aliases or {}).get(dataset.name, ()))

    def _add(self, dataset: Dataset, aliases: Sequence[str]) -> None:
        name = dataset.name
        self._by_name[name] = dataset
        for spoken in (name, *aliases):
            self._spoken.setdefault(spoken.casefold(), name)
        for sure in (name, *aliases, dataset.dbt_node):
            if sure and (parts := parts_of(sure)):
                self._sure[parts].add(name)
        relation = parts_of(dataset.relation or "")
        for start in range(len(relation)):
            self._suffix[relation[start:]].add(name)
        if dataset.connector_id:
            self._connector[dataset.connector_id.casefold()].add(name)

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Every dataset, by name."""
        return tuple(self._by_name[name] for name in sorted(self._by_name))

    def resolve(self, hints: Sequence[str]) -> Dataset | None:
        """Return the one dataset that *hints* mean, best hint first; None when there is none or it is unclear.

        A bare table name counts only while one dataset has it, and never against another hint that gives a
        different schema for the same table.
        """
        for hint in hints:
            names = self._meant(hint)
            if len(parts_of(hint)) == 1:
                names -= self._contradicted(hints)
            if len(names) == 1:
                return self._by_name[next(iter(names))]
        return None

    def all_of(self, hints: Sequence[str]) -> tuple[Dataset, ...]:
        """Return every dataset that *hints* cover: the one that is meant, or all streams of a connector."""
        if (one := self.resolve(hints)) is not None:
            return (one,)
        for hint in hints:
            if names := self._connector.get(hint.strip().casefold()):
                return tuple(self._by_name[name] for name in sorted(names))
        return ()

    def near(self, text: str, limit: int = 3) -> tuple[str, ...]:
        """Return at most *limit* dataset names that look like *text*, nearest first."""
        wanted = text.strip().casefold()[:MAX_NAME]
        if not wanted or limit < 1:
            return ()
        legible = self._legible()
        compared = _alike(wanted, legible)
        table = ".".join(parts_of(wanted)[-1:])
        close = [
            spoken
            for asked in dict.fromkeys((wanted, table))
            for spoken in get_close_matches(asked, compared, n=limit * 2, cutoff=NEAR_CUTOFF)
        ]
        holding = sorted(spoken for spoken in legible if wanted in spoken)
        names = dict.fromkeys(legible[spoken] for spoken in (*close, *holding))
        return tuple(names)[:limit]

    def _legible(self) -> dict[str, str]:
        """Everything a person may have meant to type, and the dataset it names: names, aliases, relations."""
        relations = {
            ".".join(parts_of(dataset.relation)): name
            for name, dataset in self._by_name.items()
            if dataset.relation
        }
        return {**relations, **self._spoken}

    def _meant(self, hint: str) -> set[str]:
        """The datasets one hint can mean, by the surest reading that finds any."""
        parts = parts_of(hint)
        if not parts:
            return set()
        is_node = _is_dbt_id(hint)
        readings = (
            self._sure.get(parts),
            self._connector.get(hint.strip().casefold()),
            self._of_stream(hint),
            self._suffix.get(parts),
            self._by_node_name(parts) if is_node else self._tail(parts),
        )
        return next((set(names) for names in readings if names), set())

    def _of_stream(self, hint: str) -> set[str]:
        """``CONNECTOR_ID/stream``: one stream of a connector, where the catalog does not say another."""
        connector_id, slash, stream = hint.strip().casefold().rpartition("/")
        names = self._connector.get(connector_id, set()) if slash else set()
        return {
            name for name in names if (self._by_name[name].stream or stream).casefold() == stream
        }

    def _tail(self, parts: Parts) -> set[str]:
        """The sender may say more than the catalog: ``db.schema.t`` where the catalog has only ``schema.t``."""
        for start in range(1, len(parts)):
            tail = parts[start:]
            whole = {
                n
                for n in self._suffix.get(tail, ())
                if parts_of(self._by_name[n].relation or "") == tail
            }
            if whole:
                return whole
        bare = self._sure.get(parts[-1:], set()) if len(parts) > 1 else set()
        return {name for name in bare if not self._by_name[name].relation}

    def _by_node_name(self, parts: Parts) -> set[str]:
        """A dbt unique_id whose node the catalog does not name: the model's own name, unless a node is known."""
        names = self._sure.get(parts[-1:], set()) | self._suffix.get(parts[-1:], set())
        return {name for name in names if self._by_name[name].dbt_node is None}

    def _contradicted(self, hints: Sequence[str]) -> set[str]:
        """Datasets whose relation some hint rules out: same table, another schema."""
        ruled_out: set[str] = set()
        for hint in hints:
            parts = parts_of(hint)
            if len(parts) > 1 and not _is_dbt_id(hint):
                same_table = self._suffix.get(parts[-1:], set())
                ruled_out |= {name for name in same_table if self._differs(name, parts)}
        return ruled_out

    def _differs(self, name: str, parts: Parts) -> bool:
        relation = parts_of(self._by_name[name].relation or "")
        shared = min(len(relation), len(parts))
        return relation[-shared:] != parts[-shared:]
