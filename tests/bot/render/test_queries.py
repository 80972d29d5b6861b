"""A query to copy is the runbook's query with values in it, and nothing that a value could turn it into."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.queries import LONGEST, filled
from bot.render.text import one_line
from rca.diagnosis import Diagnosis, Guidance
from tests.golden.scenes import ACT

QUERY = (
    "SELECT id FROM ingestion_jobs WHERE tenant_id = :tenant_id AND connector_id = :connector_id"
)


def of(tenant: str, connector: str | None = "conn-1") -> Diagnosis:
    """A diagnosis of that tenant and connector."""
    guidance = Guidance(response="Act", connector_id=connector)
    return ACT.model_copy(update={"tenant_id": tenant, "guidance": guidance})


@pytest.mark.parametrize(
    ("sql", "tenant", "connector", "expected"),
    [
        (":tenant_id", "acme", None, "'acme'"),
        (":tenant_id", "o'brien", None, "'o''brien'"),
        (":tenant_id", "a\nb", None, ":tenant_id"),
        (":tenant_id", "x" * (LONGEST + 1), None, ":tenant_id"),
        (":connector_id", "acme", "conn-1", "'conn-1'"),
        (":connector_id", "acme", None, ":connector_id"),
        (":signal_id", "acme", None, "'5b2f7c1e'"),
        ("started_at::tenant_id", "acme", None, "started_at::tenant_id"),
        (":tenant_ids :unknown", "acme", None, ":tenant_ids :unknown"),
        (":tenant_id", ":signal_id", None, "':signal_id'"),
    ],
)
def test_what_stands_in_a_parameters_place(
    sql: str, tenant: str, connector: str | None, expected: str
) -> None:
    """Known values are quoted; what is unknown, cut or of several lines stays a parameter; casts stay casts."""
    assert filled(sql, of(tenant, connector)) == expected


def test_without_any_guidance() -> None:
    """A diagnosis that nobody advised on still has its tenant."""
    bare = ACT.model_copy(update={"guidance": None})
    assert filled(QUERY, bare).endswith("= 'acme' AND connector_id = :connector_id")


@given(st.text(min_size=1, max_size=60))
def test_a_database_reads_the_very_value(value: str) -> None:
    """Whatever the tenant is called, the literal is that name again for the database, and nothing more."""
    said = filled("SELECT :tenant_id", of(value))
    if one_line(value, LONGEST) != value:
        assert said == "SELECT :tenant_id"
        return
    with sqlite3.connect(":memory:") as database:
        assert database.execute(said).fetchall() == [(value,)]
    database.close()
