"""Two names of one type: what warehouses and the tools that read them call the same thing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

REMEMBERED: Final = 1_024  # names; a warehouse knows a few dozen, with their lengths some hundred

_NAMES: Final = {
    "smallint": ("int2",),
    "integer": ("int", "int4", "int32", "signed"),
    "bigint": ("int8", "int64", "long"),
    "numeric": ("decimal", "dec", "number"),
    "bignumeric": ("bigdecimal",),
    "real": ("float4", "float32"),
    "double precision": ("float8", "float64", "double", "float"),
    "boolean": ("bool",),
    "text": ("string", "varchar", "nvarchar", "varchar2", "character varying", "char varying"),
    "character": ("char", "bpchar", "nchar"),
    "timestamp": ("timestamp without time zone", "timestampntz"),
    "timestamp_ntz": (),
    "timestamp with time zone": ("timestamptz", "timestamp_tz"),
    "timestamp with local time zone": ("timestamp_ltz", "timestampltz"),
    "time": ("time without time zone",),
    "time with time zone": ("timetz",),
    "bytea": ("bytes", "binary", "varbinary"),
}
"""Each type with its other names in PostgreSQL, Redshift, Snowflake, BigQuery, Databricks and DuckDB."""

_CANONICAL: Final[Mapping[str, str]] = MappingProxyType(
    {other: name for name, others in _NAMES.items() for other in (name, *others)}
)

_DEFAULTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "text": frozenset({"16777216", "max"}),
        "timestamp_ntz": frozenset({"6", "9"}),
        "timestamp": frozenset({"6", "9"}),
        "timestamp with time zone": frozenset({"6", "9"}),
        "timestamp with local time zone": frozenset({"6", "9"}),
        "time": frozenset({"6", "9"}),
        "bytea": frozenset({"8388608"}),
    }
)
"""Lengths and precisions that mean no more than leaving them out."""

_ONE_IN_BIGQUERY: Final = (
    frozenset({"int64", "integer"}),
    frozenset({"struct", "record"}),
)
"""What BigQuery's information schema calls a type, and what its API does; the other pairs are synonyms everywhere.

No other warehouse here reports an ``int64``: those whose ``integer`` is smaller call the larger one ``bigint``.
"""

_PARTS: Final = re.compile(r"[^<>,:\s]+|[<>,:]")
"""What a nested type is made of: names of types and of fields, and what stands between them."""

_ARGUMENTS: Final = re.compile(r"\(([^()]*)\)")


@lru_cache(maxsize=REMEMBERED)
def plain_type(name: str) -> str:
    """Return one name for all that mean the type *name*: lower case, no synonyms, no default length or precision.

    A name that no warehouse here knows stays as it is, in lower case.

    Source: the types pages of PostgreSQL 17, Snowflake, BigQuery, Redshift and Databricks.
    """
    lowered = name.casefold().strip()
    elements = lowered.removesuffix("[]")
    found = _ARGUMENTS.search(elements)
    arguments = "".join(found.group(1).split()) if found else ""
    bare = " ".join(_ARGUMENTS.sub(" ", elements, count=1).split())
    base = _CANONICAL.get(bare)
    if base is None:
        return lowered
    kept = f"({arguments})" if arguments and arguments not in _DEFAULTS.get(base, ()) else ""
    return f"{base}{kept}{lowered[len(elements) :]}"


def types_differ(old: str | None, new: str | None) -> bool:
    """Return whether both types are known and mean different things.

    Of nested types every part is compared; one that hides its parts, as ``RECORD`` does, may have the same ones.
    """
    if old is None or new is None or old == new:
        return False
    before, after = old.casefold().strip(), new.casefold().strip()
    if "<" not in before and "<" not in after:
        return _differ(before, after)
    if "<" not in before or "<" not in after:
        return _differ(before.partition("<")[0].strip(), after.partition("<")[0].strip())
    parts = (_PARTS.findall(before), _PARTS.findall(after))
    return len(parts[0]) != len(parts[1]) or any(map(_differ, *parts))


def _differ(old: str, new: str) -> bool:
    if frozenset({old, new}) in _ONE_IN_BIGQUERY:
        return False
    return plain_type(old) != plain_type(new)
