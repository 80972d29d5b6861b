"""Columns that a query reads, found in its text alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.payloads.sql_columns import Read, Unreadable, read_columns


def named(parts: Sequence[str]) -> str | None:
    """Tables whose schema is raw are of interest, under their own name."""
    return parts[-1] if "raw" in parts[:-1] else None


def read(sql: str, dialect: str | None = None, **known: frozenset[str]) -> Read:
    """What the query reads."""
    return read_columns(sql, dialect, named, known)


USED = {
    "select id, total from raw.o": {"o.id", "o.total"},
    "select o.id from raw.o as o where o.status = 'x' order by o.at": {"o.id", "o.status", "o.at"},
    "select sum(a + b) over (partition by c order by d) from raw.o": {"o.a", "o.b", "o.c", "o.d"},
    "select a from (select x as a from raw.o) s": {"o.x"},
    "with s as (select * from raw.o) select s.id as n from s": {"o.id"},
    "with s as (select * from raw.o), r as (select id as n from s) select n from r": {"o.id"},
    "with s as (select *, a + 1 as b from raw.o) select b from s": {"o.a"},
    "with s as (select id from raw.o) select id from s": {"o.id"},
    "select o.a, c.b from raw.o o join raw.c c on o.k = c.k": {"o.a", "c.b", "o.k", "c.k"},
    "select o.a from raw.o o join raw.c c using (k)": {"o.a", "o.k", "c.k"},
    "select a from raw.o where exists (select 1 from raw.c where c.k = o.k)": {
        "o.a",
        "c.k",
        "o.k",
    },
    "select a from raw.o union all select b from raw.c": {"o.a", "c.b"},
    "select (select max(v) from raw.c) as m from raw.o": {"c.v"},
    "select a from raw.o group by 1 having count(b) > 2": {"o.a", "o.b"},
    "select a from other.o": set(),
    "select a + 1 as b from raw.o group by b having sum(b) > 2 order by b, c": {"o.a", "o.c"},
    "select 1": set(),
    "select * from raw.o": set(),
    "select count(*) from raw.o": set(),
    "with recursive r as (select id, up from raw.o union all"
    " select o.id, o.up from raw.o o join r on o.id = r.up) select id from r": {"o.id", "o.up"},
}


@pytest.mark.parametrize("sql", USED)
def test_what_a_query_names(sql: str) -> None:
    """Names lead through CTEs, subqueries, unions, joins and stars to the table that has them."""
    assert {f"{table}.{column}" for table, column in read(sql).used} == USED[sql]


QUALIFY = "select id from raw.o qualify row_number() over (partition by k order by t) = 1"
DIALECTS: list[tuple[str, str, set[str], tuple[str, ...]]] = [
    (
        "bigquery",
        "select * except (secret) from `p`.`raw`.`o` where _p > 1",
        {"o._p", "o.secret"},
        ("o",),
    ),
    ("bigquery", "select o.meta.device.os from `p.raw.o` o", {"o.meta"}, ()),
    ("snowflake", "select payload:id::string as i from DB.RAW.o", {"o.payload"}, ()),
    ("snowflake", QUALIFY, {"o.id", "o.k", "o.t"}, ()),
    ("snowflake", "with S as (select * from raw.o) select s.ID as a from s", {"o.id"}, ()),
    ("tsql", "select top 3 [Total Price] from [db].[raw].[o]", {"o.total price"}, ()),
    ("postgres", 'select "a.b" from raw.o', {"o.a.b"}, ()),
    ("duckdb", "select * exclude (a) from raw.o", {"o.a"}, ("o",)),
]


@pytest.mark.parametrize(("dialect", "sql", "used", "passed_on"), DIALECTS)
def test_dialects(dialect: str, sql: str, used: set[str], passed_on: tuple[str, ...]) -> None:
    """What only one warehouse writes is understood in its dialect."""
    found = read_columns(
        sql,
        dialect,
        lambda parts: parts[-1].lower() if "raw" in map(str.lower, parts) else None,
        {},
    )
    assert {f"{table}.{column}" for table, column in found.used} == used
    assert found.passed_on == passed_on


PASSED = {
    "select * from raw.o": (("o",), set()),
    "with s as (select * from raw.o) select * from s": (("o",), set()),
    "select *, a + 1 as b from raw.o": (("o",), {"b"}),
    "select o.*, c.x from raw.o o join raw.c c on true": (("o",), {"x"}),
    "select * from raw.o union all select * from raw.c": (("c", "o"), set()),
    "with s as (select a as b from raw.o) select * from s": ((), set()),
    "select a from raw.o": ((), set()),
}


@pytest.mark.parametrize("sql", PASSED)
def test_what_a_query_passes_on(sql: str) -> None:
    """``select *`` hands a table on, with the columns that the query builds itself beside it."""
    found = read(sql)
    assert (found.passed_on, set(found.named)) == PASSED[sql]


@pytest.mark.parametrize(
    ("known", "used"),
    [
        ({}, {("o", "amount"), ("c", "amount"), ("o", "k"), ("c", "k")}),
        ({"c": frozenset({"k", "email"})}, {("o", "amount"), ("o", "k"), ("c", "k")}),
        ({"o": frozenset({"k"}), "c": frozenset({"k"})}, {("o", "k"), ("c", "k")}),
    ],
)
def test_a_name_that_two_tables_could_have(
    known: dict[str, frozenset[str]], used: set[tuple[str, str]]
) -> None:
    """Without its table's name a column counts for each table that can have it."""
    found = read("select amount from raw.o join raw.c on o.k = c.k", None, **known)
    assert found.used == used


@pytest.mark.parametrize(
    "sql",
    ["select from where", "create table x as select 1", "", "((((", "select 'a", "drop table o"],
)
def test_what_is_no_query(sql: str) -> None:
    """What sqlglot does not understand, or what is no query, is said to be unreadable."""
    with pytest.raises(Unreadable):
        read(sql)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Any text is read or refused; nothing else happens."""
    try:
        found = read(text)
    except Unreadable:
        return
    assert isinstance(found, Read)


def test_a_chain_of_stars_is_walked_once() -> None:
    """Sixty CTEs that each read their predecessor twice take no exponential time."""
    ctes = ["c0 as (select * from raw.o)"]
    ctes += [
        f"c{n} as (select * from c{n - 1} union all select * from c{n - 1})"  # noqa: S608 - parsed, never run
        for n in range(1, 60)
    ]
    found = read(f"with {', '.join(ctes)} select total from c59")  # noqa: S608 - the same
    assert found.used == {("o", "total")}
