"""A folder of pages is read as a whole: everything wrong with it is named at once, with file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.evidence import Cause
from runbook.check import check_folder
from runbook.load import MAX_FILE_BYTES, Runbook, RunbookError, load_runbook, read_folder
from runbook.parse import parse_runbook, split_page

TEAMS = frozenset({"infra", "platform", "data_eng", "data_eng_lead", "analytics_eng"})
INGESTION = "ingestion_failure.md"


def _edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _problems(folder: Path) -> list[str]:
    return [str(problem) for problem in check_folder(folder, TEAMS)]


def test_shipped_pages_are_right(folder: Path) -> None:
    """A copy of the shipped pages has no problem, with or without a directory to ask."""
    assert check_folder(folder, TEAMS) == ()
    assert check_folder(folder) == ()


def test_folder_replaces_the_shipped_pages(folder: Path) -> None:
    """What the team writes is what is obeyed."""
    _edit(folder, INGESTION, "Check Airbyte connection", "Call the night desk")
    page = load_runbook(folder).pages[Cause.INGESTION_FAILURE]
    assert page.quick_reference.first_action == "Call the night desk"


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            INGESTION,
            "floor: 0.8",
            "floor: 8",
            "quick_reference.floor: Input should be less than or equal to 1",
        ),
        (
            INGESTION,
            "floor: 0.8",
            "flor: 0.8",
            "quick_reference.flor: Extra inputs are not permitted",
        ),
        (
            INGESTION,
            "teams: [infra]",
            "teams: []",
            "quick_reference.teams: Tuple should have at least 1 item",
        ),
        (
            INGESTION,
            "teams: [infra]",
            "teams: [infar]",
            "quick_reference.teams[0]: infar is not a team of the directory",
        ),
        (
            INGESTION,
            "team: platform",
            "team: platfrom",
            "escalations[1].team: platfrom is not a team of the directory",
        ),
        (
            INGESTION,
            "team: platform",
            "team: Platform",
            "escalations[1].team: String should match pattern",
        ),
        (
            INGESTION,
            "urgency: now",
            "urgency: soon",
            "escalations[0].urgency: Input should be 'now', 'notify'",
        ),
        (INGESTION, "after: 1h", "after: an hour", 'escalations[0].after: write a span as "30m"'),
        (INGESTION, "    after: 1h\n", "", "escalations[0]: since and after belong together"),
        (
            INGESTION,
            "evidence.failed_since\n",
            "evidence.failed_sinc\n",
            "escalations[0].since: evidence.failed_sinc is not declared",
        ),
        (
            INGESTION,
            "evidence.error_code ==",
            "evidence.code ==",
            "escalations[0].when: evidence.code is not declared",
        ),
        (
            INGESTION,
            "(since {evidence.failed_since})",
            "{evidence.since}",
            "escalations[0].reason: {evidence.since} is not declared",
        ),
        (
            INGESTION,
            "signals: [partial_sync]",
            "signals: [partial]",
            "escalations[2].signals[0]: Input should be 'sync_failure'",
        ),
        (
            INGESTION,
            "signals: [partial_sync]",
            "signals: [column_removed]",
            "escalations[2].signals: column_removed is not a signal of ingestion_failure",
        ),
        (
            INGESTION,
            "id: ingestion.partial_without_message",
            "id: ingestion.auth_persisting",
            "escalations[2].id: ingestion.auth_persisting is used already",
        ),
        (
            INGESTION,
            "id: ingestion.auth_persisting",
            "id: shift.cardinality",
            "shift.cardinality is used already in ingestion_failure.md",
        ),
        (INGESTION, "SELECT id, status", "DELETE", "steps[2]: sql is one SELECT"),
        (INGESTION, "LIMIT 5", "LIMIT 5; DROP TABLE x", "steps[2]: sql is one SELECT"),
        (
            INGESTION,
            "= :connector_id",
            "= :connector",
            "steps[2]: sql names :connector; the bot binds",
        ),
        (
            INGESTION,
            "WHERE tenant_id = :tenant_id\n        AND connector_id",
            "WHERE connector_id",
            "steps[2]: sql needs :tenant_id or :signal_id",
        ),
        (
            INGESTION,
            "cause: ingestion_failure",
            "cause: ingestion",
            "cause: Input should be 'ingestion_failure'",
        ),
        (
            INGESTION,
            "---\n# Ingestion",
            "# Ingestion",
            "ingestion_failure.md: front matter is opened by --- and never closed",
        ),
        (INGESTION, "title: Ingestion failure", "title: [", "ingestion_failure.md: while parsing"),
        (INGESTION, "title: Ingestion failure", "title: a\ntitle: b", "given twice: title"),
        (
            INGESTION,
            "title: Ingestion failure",
            "title: &a x\nextra: *a",
            "aliases (*name) are not used here",
        ),
        (
            INGESTION,
            "title: Ingestion failure",
            "title: 2026-13-45",
            "ingestion_failure.md: month must be",
        ),
        (
            "upstream_data_shift.md",
            "(ingestion_failure.md)",
            "(ingestion.md)",
            "body: link ingestion.md leads to no file",
        ),
        (
            "upstream_data_shift.md",
            "(ingestion_failure.md)",
            "(../x.md)",
            "body: link ../x.md leads to no file",
        ),
        (
            "transformation_regression.md",
            "{incident.failing_model}",
            "{incident.model}",
            "steps[1].command: {incident.model} is not declared",
        ),
        (
            "transformation_regression.md",
            "command: dbt run",
            "sql: SELECT 1 # dbt run",
            "steps[1]: only a command can change things",
        ),
        (
            "transformation_regression.md",
            "otherwise: analytics_eng",
            "otherwise: analytics",
            "escalations[0].otherwise: analytics is not a team",
        ),
        (
            "transformation_regression.md",
            "{incident.last_deployment.at}",
            "{incident.last_deployment}",
            "is not a single value",
        ),
        (
            "no_signal.md",
            "diagnosis.hypothesis_count == 0",
            "evidence.jsd > 0.5",
            "escalations[0].when: evidence is not declared",
        ),
        (
            "no_signal.md",
            "    when: incident.merchant",
            "    signals: [sync_failure]\n    when: incident.merchant",
            "escalations[1].signals: Extra inputs",
        ),
        (
            "matrix.md",
            "- band: act\n",
            "- band: manual\n",
            "bands must be act, investigate_top, investigate_all, manual, each once",
        ),
        (
            "matrix.md",
            "escalate_to: data_eng_lead",
            "escalate_to: boss",
            "bands[3].escalate_to: boss is not a team",
        ),
        (
            "matrix.md",
            "hypotheses: 2",
            "hypotheses: -2",
            'bands[1].hypotheses: write a number from 0, or "all"',
        ),
    ],
)
def test_mistake_is_named_with_its_place(
    folder: Path, file: str, old: str, new: str, problem: str
) -> None:
    """Each mistake is found and named; the file stands in front."""
    _edit(folder, file, old, new)
    found = _problems(folder)
    assert any(problem in line for line in found), found
    assert all(line.split(":")[0] in {*read_folder().pages, "folder"} for line in found)


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    """Three mistakes in three files are three problems in one answer."""
    _edit(folder, INGESTION, "error_code ==", "code ==")
    _edit(folder, "matrix.md", "escalate_to: data_eng_lead", "escalate_to: boss")
    _edit(folder, "upstream_data_shift.md", "(ingestion_failure.md)", "(gone.md)")
    (folder / "schema_drift.md").unlink()
    found = _problems(folder)
    assert [line.split(":")[0] for line in found] == [
        INGESTION,
        "matrix.md",
        "folder",
        "matrix.md",
        "transformation_regression.md",
        "upstream_data_shift.md",
    ]
    with pytest.raises(RunbookError) as caught:
        load_runbook(folder)
    assert str(caught.value).count("\n") == 1


@pytest.mark.parametrize("file", sorted(read_folder().pages))
def test_every_cause_needs_its_page(folder: Path, file: str) -> None:
    """A folder without one of the pages is refused, naming the cause; adding the page alone makes it whole."""
    text = (folder / file).read_text(encoding="utf-8")
    (folder / file).unlink()
    assert f"folder: has no page with cause: {file.removesuffix('.md')}" in _problems(folder)
    (folder / file).write_text(text, encoding="utf-8")
    assert _problems(folder) == []


def test_page_is_known_by_its_cause_not_by_its_name(folder: Path) -> None:
    """A page may have any file name; two pages for one cause are refused."""
    (folder / "schema_drift.md").rename(folder / "when columns change.md")
    (folder / "schema_drift.md").write_text("# Notes for people\n", encoding="utf-8")
    assert _problems(folder) == []
    text = (folder / "when columns change.md").read_text(encoding="utf-8")
    (folder / "zz.md").write_text(text, encoding="utf-8")
    assert "zz.md: cause: schema_drift has a page already: when columns change.md" in _problems(
        folder
    )


def test_links_that_resolve(folder: Path) -> None:
    """Files, folders, anchors, other sites and examples in code are no problem."""
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a b.svg").write_text("<svg/>", encoding="utf-8")
    (folder / "notes.md").write_text(
        "[a](matrix.md#pages) [b](./pictures/a%20b.svg) [c](pictures/) [d](#here) [e](https://x.example/y)\n"
        "![f](pictures/../matrix.md) [g](mailto:a@b.example) `[h](gone.md)`\n"
        "```\n[i](gone.md)\n```\n",
        encoding="utf-8",
    )
    assert _problems(folder) == []
    (folder / "notes.md").write_text("[a](pictures/gone.svg)\n", encoding="utf-8")
    assert _problems(folder) == [
        "notes.md: body: link pictures/gone.svg leads to no file of the folder"
    ]


def test_folder_that_cannot_be_read(tmp_path: Path, folder: Path) -> None:
    """No folder, bytes that are no text and a huge file are problems, not exceptions."""
    assert [p.message for p in check_folder(tmp_path / "gone")] == ["is not a folder"]
    (folder / "a.md").write_bytes(b"\xff\xfe\x00")
    (folder / "b.md").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    assert [p.file for p in check_folder(folder)] == ["a.md", "b.md"]


def test_deep_front_matter_is_refused() -> None:
    """Front matter nested a thousand times is a problem of its file."""
    with pytest.raises(RunbookError, match=r"^a\.md: "):
        parse_runbook({"a.md": f"---\ncause: {'[' * 600}\n---\n"})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", None),
        ("# Only for people\n", None),
        ("---\na: 1\n---\nbody\n", ("a: 1", "body")),
        ("\ufeff---\r\na: 1\r\n---\r\nbody\r\n", ("a: 1", "body")),
        ("---\n---\n", ("", "")),
        ("---\na: 1\n---\nbody\n---\nmore\n", ("a: 1", "body\n---\nmore")),
    ],
)
def test_front_matter_is_split_off(text: str, parts: tuple[str, str] | None) -> None:
    """Front matter stands between the first two fences; later ones belong to the body."""
    assert split_page(text) == parts


@given(text=st.text(max_size=200) | st.text(max_size=200).map(lambda t: f"---\n{t}\n---\n"))
@settings(max_examples=30, deadline=None)
def test_any_text_as_a_page_is_a_problem_or_none(text: str) -> None:
    """Whatever stands in a file, the answer is a runbook or a RunbookError."""
    pages = {**read_folder().pages, INGESTION: text}
    try:
        assert isinstance(parse_runbook(pages), Runbook)
    except RunbookError as error:
        assert error.problems  # noqa: PT017 - both ways are right
