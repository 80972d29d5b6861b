"""What our parsing is measured beside: the same objects, without our rules."""

from __future__ import annotations

import pytest

from benchmarks.large_cases import document, many_jobs
from benchmarks.speed import without_rules
from rca.case import Case, CaseError, parse_case

BARE = without_rules(Case)


def test_the_same_syncs_come_out_with_and_without_rules() -> None:
    """Without rules every field of every sync holds what it holds with them, so both do the same work."""
    raw = document(many_jobs())
    ours = parse_case(raw)[0].model_dump(include={"ingestion_jobs"})
    assert BARE.model_validate_json(raw).model_dump(include={"ingestion_jobs"}) == ours
    assert len(ours["ingestion_jobs"]) == 5_000


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", ""), ("rows_synced", -1), ("attempts", -1), ("error_message", "x" * 200_001)],
)
def test_no_rule_is_left(field: str, value: object) -> None:
    """What a rule of ours refuses is read without it, so its cost is in our parse alone."""
    row = {"id": "1", "status": "failed", "started_at": "2026-03-02T07:00:00Z", field: value}
    raw = document({"ingestion_jobs": [row]})
    read = BARE.model_validate_json(raw).model_dump()
    assert read["ingestion_jobs"][0][field] == value
    with pytest.raises(CaseError, match=field):
        parse_case(raw)
