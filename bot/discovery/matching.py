"""Which connection, stream, relation, dbt node and check are one dataset, and how sure that is. Pure.

Relations are compared in any case and quoting, and a shorter name with a longer one that ends in it. What names no
relation (a stream of a connection) is compared by the table's name alone, which is less sure; where two could be
meant, neither is proposed, and both are named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.catalog import Parts, parts_of
from bot.ports import Offer
from rca.case import Column

SAME: Final = 1.0  # the same relation, named in full by both
ENDS_ALIKE: Final = 0.9  # one name is the other's end, and no third one is
SAME_TABLE_AND_SCHEMA: Final = 0.85  # a stream whose connection speaks of the relation's schema
SAME_SOURCE: Final = 0.8  # a stream called like the only source table of that name
SAME_TABLE: Final = 0.7  # a stream called like the only table of that name
FEW_VALUES: Final = 0.6  # columns of few values are what rows are told apart by, as a rule
GUESSED_COLUMN: Final = 0.6  # a column that usually says when a row came to be
WORTH_WRITING: Final = 0.5  # below, a person decides

TIME_COLUMNS: Final = (
    "created_at",
    "inserted_at",
    "event_time",
    "occurred_at",
    "loaded_at",
    "_airbyte_extracted_at",
    "_airbyte_emitted_at",
    "updated_at",
)
"""When a row came to be, the surest first; an update moves a row into another day, so it comes last."""

_TIME_TYPES: Final = ("timestamp", "datetime", "date")
_PLAIN_SCHEMAS: Final = frozenset({"public", "main", "dbo", "default", "raw", "analytics"})
FIELDS: Final = (
    "relation",
    "connector_id",
    "stream",
    "dbt_node",
    "expected_sync_interval_s",
    "time_column",
    "dimensions",
    "critical",
    "merchant_facing",
    "owner",
)
"""What a proposal may say, by the directory's own keys and in their order."""

MATCHED: Final = tuple(f for f in FIELDS if f not in {"relation", "time_column", "dimensions"})
"""What a match brings; the others are the table's own."""

Value = str | float | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One value of a proposal, how sure it is in [0, 1], and where it comes from."""

    value: Value
    sureness: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One dataset: its values by the directory's keys, its checks, and what is missing or unclear, in sentences."""

    name: str
    said: Mapping[str, Said]
    checks: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def sureness(self) -> float:
        """How sure the least sure of the matches that are worth writing is."""
        written = [s.sureness for s in self.said.values() if s.sureness >= WORTH_WRITING]
        return min(written, default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Offers of one relation."""

    parts: Parts
    offers: tuple[tuple[Offer, float, str], ...]


def propose(
    offers: Sequence[Offer], *, owners: frozenset[str] = frozenset(), every_table: bool = False
) -> tuple[Proposal, ...]:
    """Return one proposal per dataset, by name.

    Args:
        offers: what the sources know.
        owners: the directory's teams and people; another owner is shown and not proposed.
        every_table: also tables that nothing but the warehouse speaks of.
    """
    groups = _by_relation(offer for offer in offers if offer.relation)
    loose = [offer for offer in offers if not offer.relation]
    unclear: defaultdict[Parts, list[str]] = defaultdict(list)
    for offer in loose:
        _attach(offer, groups, unclear)
    wanted = [group for group in groups.values() if every_table or _is_spoken_of(group)]
    alone = [offer for offer in loose if offer.connector_id and not _candidates(offer, groups)]
    names = _names([group.parts for group in wanted])
    found = [_proposal(names[group.parts], group, unclear[group.parts]) for group in wanted]
    found += [_of_stream(offer) for offer in alone]
    known = (_with_known_owner(each, owners) for each in _told_apart(found))
    return tuple(sorted(known, key=lambda each: each.name))


def _with_known_owner(proposal: Proposal, owners: frozenset[str]) -> Proposal:
    """An owner that the directory does not know would stop the start, so it is not sure at all."""
    owner = proposal.said.get("owner")
    if owner is None or owner.value in owners:
        return proposal
    source = owner.why.partition(":")[0]
    why = f"named by {source}; the directory has neither a team nor a person of that name"
    said = {**proposal.said, "owner": replace(owner, sureness=0.0, why=why)}
    return replace(proposal, said=said)


def _by_relation(offers: Iterable[Offer]) -> dict[Parts, _Group]:
    """Offers of one relation together; a shorter name joins the one longer name that ends in it."""
    exact: defaultdict[Parts, list[Offer]] = defaultdict(list)
    for offer in offers:
        exact[parts_of(offer.relation or "")].append(offer)
    ends: defaultdict[Parts, set[Parts]] = defaultdict(set)
    for parts in exact:
        for start in range(1, len(parts)):
            ends[parts[start:]].add(parts)
    groups: dict[Parts, _Group] = {}
    for parts in sorted(exact, key=len, reverse=True):
        longer = ends[parts]
        home = next(iter(longer)) if len(longer) == 1 else parts
        home = home if home in groups else parts
        sureness, why = (SAME, "the relation itself") if home == parts else _ending(home, parts)
        added = tuple((offer, sureness, why) for offer in exact[parts])
        before = groups[home].offers if home in groups else ()
        groups[home] = _Group(parts=home, offers=(*before, *added))
    return groups


def _ending(home: Parts, parts: Parts) -> tuple[float, str]:
    return ENDS_ALIKE, f"{'.'.join(home)} ends in {'.'.join(parts)}"


def _candidates(offer: Offer, groups: Mapping[Parts, _Group]) -> list[Parts]:
    """The relations that a stream or a check could mean: those whose table has its name."""
    table = parts_of(offer.stream or offer.title)[-1:]
    return [parts for parts in groups if parts[-1:] == table]


def _attach(
    offer: Offer, groups: dict[Parts, _Group], unclear: defaultdict[Parts, list[str]]
) -> None:
    """Join an offer without a relation to the one it can mean; where there are several, say so at each."""
    found = _candidates(offer, groups)
    nearer = [parts for parts in found if _speaks_of_schema(offer, parts)]
    loaded = [parts for parts in found if _is_loaded(groups[parts])]
    readings = (
        (nearer, SAME_TABLE_AND_SCHEMA, "has the table's name and its schema's"),
        (
            loaded,
            SAME_SOURCE,
            "has the name of the only table of that name that dbt reads as a source",
        ),
        (found, SAME_TABLE, "has the table's name"),
    )
    for chosen, sureness, why in readings:
        if len(chosen) == 1:
            group = groups[chosen[0]]
            added = (offer, sureness, f"{offer.title} {why}")
            groups[chosen[0]] = replace(group, offers=(*group.offers, added))
            return
    for parts in found:
        others = ", ".join(".".join(other) for other in found if other != parts)
        unclear[parts].append(f"{offer.title} could be this one, or {others}")


def _is_loaded(group: _Group) -> bool:
    """Whether dbt reads the table as a source: a connection fills those, never a model."""
    return any((offer.dbt_node or "").startswith("source.") for offer, _, _ in group.offers)


def _speaks_of_schema(offer: Offer, parts: Parts) -> bool:
    title = offer.title.casefold()
    return any(len(part) > 2 and part in title for part in parts[:-1] if part not in _PLAIN_SCHEMAS)  # noqa: PLR2004 - shorter ones are in every title


def _is_spoken_of(group: _Group) -> bool:
    return any(
        offer.connector_id or offer.dbt_node or offer.check_name for offer, _, _ in group.offers
    )


def _proposal(name: str, group: _Group, unclear: Sequence[str]) -> Proposal:
    said: dict[str, Said] = {}
    longest = max(
        (offer.relation or "" for offer, _, _ in group.offers),
        key=lambda relation: (len(parts_of(relation)), relation),
    )
    why = "named by " + ", ".join(sorted({offer.source_id for offer, _, _ in group.offers}))
    said["relation"] = Said(value=longest, sureness=SAME, why=why)
    for offer, sureness, matched in sorted(group.offers, key=lambda each: -each[1]):
        for field in MATCHED:
            value = getattr(offer, field, None)
            if value is not None and field not in said:
                said[field] = Said(value=value, sureness=sureness, why=_from(offer, matched))
    columns = next((o.columns for o in _nearest_first(group) if o.columns), ())
    if (column := _time_column(columns)) is not None:
        why = "a column of that name usually says when a row came to be"
        said["time_column"] = Said(value=column, sureness=GUESSED_COLUMN, why=why)
        if few := next((o.dimensions for o, _, _ in group.offers if o.dimensions), None):
            why = "columns of few values, by the warehouse's own statistics"
            said["dimensions"] = Said(value=few, sureness=FEW_VALUES, why=why)
    checks = tuple(sorted({o.check_name for o, _, _ in group.offers if o.check_name}))
    missing = (*_missing(said), *unclear)
    return Proposal(name=name, said=_in_order(said), checks=checks, missing=missing)


def _nearest_first(group: _Group) -> list[Offer]:
    """The warehouse's own word on its columns before a tool's."""
    offers = [offer for offer, _, _ in group.offers]
    return sorted(offers, key=lambda o: (o.dbt_node is not None, o.connector_id is not None))


def _from(offer: Offer, matched: str) -> str:
    return f"{offer.source_id}: {matched}"


def _in_order(said: Mapping[str, Said]) -> dict[str, Said]:
    return {field: said[field] for field in FIELDS if field in said}


def _time_column(columns: Iterable[Column]) -> str | None:
    """The surest column that says when a row came to be; only one whose type is a time."""
    typed = {
        column.name.casefold(): column.name
        for column in columns
        if any(word in (column.type or "").casefold() for word in _TIME_TYPES)
    }
    return next((typed[name] for name in TIME_COLUMNS if name in typed), None)


def _of_stream(offer: Offer) -> Proposal:
    """A stream that no relation was found for: syncs can be judged, nothing else."""
    why = f"{offer.source_id}: {offer.title}"
    said = {
        field: Said(value=value, sureness=SAME, why=why)
        for field in FIELDS
        if (value := getattr(offer, field, None)) is not None
    }
    name = "_".join(parts_of(offer.stream or offer.title)) or offer.source_id
    return Proposal(name=_word(name), said=said, missing=tuple(_missing(said)))


def _missing(said: Mapping[str, Said]) -> Iterator[str]:
    """What would tell more, in sentences for a person who may know it."""
    if "connector_id" not in said and "dbt_node" not in said:
        yield "no connection and no dbt node: neither syncs nor models can be judged"
    elif "connector_id" not in said and str(said["dbt_node"].value).startswith("source."):
        yield "no connection was found that fills it: syncs cannot be judged"
    if "relation" not in said:
        yield "no relation was found: columns and rows cannot be judged"
    elif "time_column" not in said:
        yield "no time_column is known: rows cannot be counted by day"


def _names(relations: Sequence[Parts]) -> dict[Parts, str]:
    """A short name for each relation: schema and table, the table alone in a plain schema, all of it if need be."""
    short = {parts: _short(parts) for parts in relations}
    taken: defaultdict[str, list[Parts]] = defaultdict(list)
    for parts, name in short.items():
        taken[name].append(parts)
    return {
        parts: name if len(taken[name]) == 1 else _word("_".join(parts))
        for parts, name in short.items()
    }


def _short(parts: Parts) -> str:
    if len(parts) > 1 and parts[-2] not in _PLAIN_SCHEMAS:
        return _word(f"{parts[-2]}_{parts[-1]}")
    return _word(parts[-1]) if parts else "dataset"


def _word(text: str) -> str:
    """The text as a TOML key needs no quotes for it."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in text)


def _told_apart(proposals: Iterable[Proposal]) -> Iterator[Proposal]:
    """Two that would have one name get a number."""
    seen: defaultdict[str, int] = defaultdict(int)
    for each in proposals:
        seen[each.name] += 1
        number = seen[each.name]
        yield each if number == 1 else replace(each, name=f"{each.name}_{number}")
