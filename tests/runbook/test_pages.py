"""The shipped pages say what the documented runbook says."""

from __future__ import annotations

import re

import pytest

from rca.diagnosis import Band
from rca.evidence import Cause
from runbook.load import Runbook, read_folder
from runbook.queries import Query, statements

ROW_OF = {
    "Ingestion failure": Cause.INGESTION_FAILURE,
    "Schema drift": Cause.SCHEMA_DRIFT,
    "dbt model failure": Cause.TRANSFORMATION_REGRESSION,
    "Upstream data shift": Cause.UPSTREAM_DATA_SHIFT,
    "No signal detected": None,
}
TEAM_OF = {
    "Infra team": ("infra",),
    "Data eng": ("data_eng",),
    "Analytics eng": ("analytics_eng",),
    "Data eng + source owner": ("data_eng", "source_owner"),
    "Data eng lead": ("data_eng_lead",),
}
ONE = Query(title="", text="SELECT 1;", statement="SELECT 1", parameters=())
ESCALATION_OF = {
    "Only if action fails": None,
    "If not resolved in 30 min": 1800,
    "If not resolved in 1 hour": 3600,
    "Escalate to data eng lead": 0,
}


def _table(document: str, heading: str) -> list[list[str]]:
    section = document.split(f"## {heading}")[1].split("\n## ", maxsplit=1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_quick_reference_is_the_documents(book: Runbook, document: str) -> None:
    """Floor, label, first action and teams of every page equal the row of the runbook."""
    rows = _table(document, "Quick Reference")
    assert len(rows) == len(ROW_OF)
    for signal, label, action, team in rows:
        name, floor = re.fullmatch(r"(.+) \((?:> )?([\d.]+)\)", signal).groups()
        reference = book.page(ROW_OF[name]).quick_reference
        assert (reference.floor or 0.0) == float(floor)
        assert (reference.confidence_label, reference.first_action) == (label, action)
        assert reference.teams == TEAM_OF[team]


def test_matrix_is_the_documents(book: Runbook, document: str) -> None:
    """Response and deadline of every band equal the row of the runbook."""
    rows = _table(document, "General Escalation Matrix")
    for band, (_, response, escalation) in zip(Band, rows, strict=True):
        row = book.matrix.row(band)
        after = None if row.escalate_after is None else row.escalate_after.total_seconds()
        assert (row.response, after) == (response, ESCALATION_OF[escalation])


def _queries(book: Runbook) -> set[str]:
    steps = [*book.queries, *book.no_signal.steps]
    steps += [step for page in book.pages.values() for step in page.steps]
    return {step.sql for step in steps if step.sql is not None}


def test_queries_are_the_documents(book: Runbook, document: str) -> None:
    """Every statement of the runbook is a step, with bound parameters, and no step has another."""
    assert _queries(book) == {query.statement for query in statements(document)}


@pytest.mark.parametrize(
    ("cause", "queries"),
    [
        (Cause.INGESTION_FAILURE, ["Step 1"]),
        (Cause.SCHEMA_DRIFT, ["Step 2"]),
        (Cause.TRANSFORMATION_REGRESSION, []),
        (Cause.UPSTREAM_DATA_SHIFT, []),
    ],
)
def test_queries_stand_on_their_own_page(
    book: Runbook, document: str, cause: Cause, queries: list[str]
) -> None:
    """A page has the queries of its own step of the runbook."""
    own = [q.statement for q in statements(document) if q.title[:6] in queries]
    assert [step.sql for step in book.pages[cause].steps if step.sql] == own


def test_document_has_five_statements(document: str) -> None:
    """The runbook's five statements are found, each with what is to be bound."""
    found = [(query.title, query.parameters) for query in statements(document)]
    assert found == [
        ("Step 1: Ingestion Failure (Top Cause)", ("tenant_id", "connector_id")),
        ("Step 2: Schema Drift (Top Cause)", ("tenant_id",)),
        ("Recent root cause signals for a tenant", ("tenant_id",)),
        ("Hypothesis details for a signal", ("signal_id",)),
        ("Correlation chain (link DQ results to root cause)", ("tenant_id",)),
    ]


def test_commands_of_the_document_are_on_the_pages(document: str) -> None:
    """Every command that the runbook shows is shown by a page as well."""
    shown = " ".join(" ".join(read_folder().pages.values()).split())
    blocks = re.findall(r"```bash\n(.*?)```", document, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        assert " ".join(block.split()) in shown


def test_teams_that_the_pages_name(book: Runbook) -> None:
    """The pages call nobody but the known teams and the two roles."""
    assert book.teams() == {
        "analytics_eng",
        "data_eng",
        "data_eng_lead",
        "deployer",
        "infra",
        "platform",
        "source_owner",
    }


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("", ()),
        ("```sql\n```", ()),
        ("```\nSELECT 1;\n```", ()),
        ("```python\nSELECT 1;\n```", ()),
        (
            "# T\n```sql\nSELECT 1\n```",
            (Query(title="T", text="SELECT 1;", statement="SELECT 1", parameters=()),),
        ),
        (
            "````sql\nSELECT '<a>', '<a>', '<b_1>';\n````\n",
            (
                Query(
                    title="",
                    text="SELECT '<a>', '<a>', '<b_1>';",
                    statement="SELECT :a, :a, :b_1",
                    parameters=("a", "b_1"),
                ),
            ),
        ),
        (
            "## H\n```sql\nSELECT 1;\nSELECT 2;\n```\n",
            (
                Query(title="H", text="SELECT 1;", statement="SELECT 1", parameters=()),
                Query(title="H", text="SELECT 2;", statement="SELECT 2", parameters=()),
            ),
        ),
        (
            "```bash\n# not a heading\n```\n```sql\nSELECT 1\n```",
            (ONE,),
        ),
    ],
)
def test_statements_of_a_document(markdown: str, found: tuple[Query, ...]) -> None:
    """Only sql blocks count, each statement once, under the heading above it."""
    assert statements(markdown) == found
