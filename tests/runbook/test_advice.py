"""What a diagnosis becomes: first actions, the matrix's guidance, steps, and never an exception."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.diagnosis import Band, Diagnosis, Guidance
from rca.evidence import Cause, SignalCode, SyncFailureEvidence
from runbook.advice import advise
from runbook.conditions import Yields, compile_condition
from runbook.context import context_of
from runbook.facts import world_of
from runbook.load import Runbook
from tests.runbook.build import (
    NOW,
    advised,
    case,
    diagnosis,
    drift,
    hypothesis,
    model_failure,
    one_of_each,
    removed,
    sync_failure,
)

BOOK_EVIDENCE = one_of_each()


def _guidance(done: Diagnosis) -> Guidance:
    assert done.guidance is not None
    return done.guidance


@pytest.mark.parametrize(
    ("confidence", "response", "after_s", "to"),
    [
        (1.0, "Act on the top hypothesis immediately", None, "infra"),
        (0.8501, "Act on the top hypothesis immediately", None, "infra"),
        (0.85, "Investigate the one hypothesis", 1800, "infra"),
        (0.60, "Investigate the one hypothesis", 1800, "infra"),
        (0.5999, "Investigate all hypotheses + manual review", 3600, "infra"),
        (0.40, "Investigate all hypotheses + manual review", 3600, "infra"),
        (0.3999, "Full manual investigation required", 0, "data_eng_lead"),
        (0.0, "Full manual investigation required", 0, "data_eng_lead"),
        (None, "Full manual investigation required", 0, "data_eng_lead"),
    ],
)
def test_matrix(
    book: Runbook, confidence: float | None, response: str, after_s: int | None, to: str
) -> None:
    """Each confidence gets its row's response, deadline and team; the edges belong where the matrix says."""
    found = [] if confidence is None else [hypothesis(sync_failure(), confidence=confidence)]
    guidance = _guidance(advised(book, diagnosis(*found)))
    assert (guidance.response, guidance.escalate_after_s, guidance.escalate_to) == (
        response,
        after_s,
        to,
    )


@pytest.mark.parametrize(
    ("symptom_of", "response"),
    [
        (None, "Investigate top 2 hypotheses"),
        (Cause.INGESTION_FAILURE, "Investigate the one hypothesis"),
    ],
)
def test_two_are_investigated_where_there_are_two(
    book: Runbook, symptom_of: Cause | None, response: str
) -> None:
    """The matrix's own words where a second cause stands; what the first one explains is no second cause."""
    first = hypothesis(sync_failure(), confidence=0.7)
    second = hypothesis(removed(), confidence=0.3, rank=2).model_copy(
        update={"symptom_of": symptom_of}
    )
    assert _guidance(advised(book, diagnosis(first, second))).response == response


@pytest.mark.parametrize(
    ("evidence", "confidence", "named"),
    [
        (sync_failure(), 0.80, False),
        (sync_failure(), 0.81, True),
        (drift(0.9, healthy=True), 0.70, False),
        (drift(0.9, healthy=True), 0.71, True),
        (sync_failure(), 0.71, False),
    ],
)
def test_team_is_named_at_once_above_the_floor(
    book: Runbook, evidence: SyncFailureEvidence, confidence: float, named
) -> None:
    """The card names the team above its quick-reference floor, not on it."""
    done = advised(book, diagnosis(hypothesis(evidence, confidence=confidence)))
    assert _guidance(done).name_team_at_once is named


def test_no_team_is_named_without_a_hypothesis(book: Runbook) -> None:
    """An empty diagnosis has no confidence that could exceed a floor."""
    assert _guidance(advised(book, diagnosis())).name_team_at_once is False


@pytest.mark.parametrize("evidence", BOOK_EVIDENCE, ids=lambda evidence: evidence.signal)
def test_every_hypothesis_gets_its_first_action(
    book: Runbook, evidence: SyncFailureEvidence
) -> None:
    """The first action is the quick reference's, for each of the thirteen signals."""
    found = hypothesis(evidence)
    done = advised(book, diagnosis(found))
    expected = book.page(found.cause_type).quick_reference.first_action
    assert done.hypotheses[0].first_action == expected
    assert _guidance(done).notes == ()


def test_first_actions_are_the_documents(book: Runbook) -> None:
    """The four causes start as the runbook's quick reference says."""
    found = (sync_failure(), removed("a"), model_failure(), drift(0.9, healthy=True))
    done = advised(book, diagnosis(*(hypothesis(e, rank=n + 1) for n, e in enumerate(found))))
    assert [h.first_action for h in done.hypotheses] == [
        "Check Airbyte connection",
        "Compare column snapshots",
        "Check dbt run logs",
        "Review source distribution changes",
    ]


def _titles(done: Diagnosis) -> list[str]:
    return [step.title for step in _guidance(done).steps]


@pytest.mark.parametrize(
    ("confidence", "first", "second", "third", "manual"),
    [
        (0.90, True, False, False, False),
        (0.70, True, True, False, False),
        (0.50, True, True, True, True),
        (0.30, False, False, False, True),
    ],
)
def test_steps_follow_the_band(
    book: Runbook, confidence: float, first, second, third, manual
) -> None:
    """Act shows the top page's steps, then two, then all with the manual review, then the manual review alone."""
    found = (sync_failure(), model_failure(), drift(0.9, healthy=True))
    hypotheses = [hypothesis(e, rank=n + 1, confidence=confidence) for n, e in enumerate(found)]
    titles = _titles(advised(book, diagnosis(*hypotheses)))
    shown = [
        "Query recent ingestion jobs" in titles,
        any(title.startswith("Review the dbt run logs") for title in titles),
        any(title.startswith("Verify that ingestion") for title in titles),
        "Run on-demand analysis" in titles,
    ]
    assert shown == [first, second, third, manual]
    assert len(titles) == len(set(titles))


def test_useful_queries_are_always_offered(book: Runbook) -> None:
    """Whatever the band, the runbook's three useful queries are the last steps."""
    for found in ([], [hypothesis(sync_failure())]):
        steps = _guidance(advised(book, diagnosis(*found))).steps
        assert [step.title for step in steps[-3:]] == [step.title for step in book.queries]


def test_query_that_cannot_be_bound_is_a_note(book: Runbook) -> None:
    """Without a connector the query on its jobs is not offered, and the reader is told why."""
    bare = case(dataset={"name": "shopify_orders"})
    guidance = _guidance(advised(book, diagnosis(hypothesis(sync_failure())), bare))
    assert "Query recent ingestion jobs" not in [step.title for step in guidance.steps]
    assert guidance.notes == (
        "Query recent ingestion jobs: not offered, because connector_id is not known",
    )
    assert guidance.connector_id is None


def test_the_connector_is_told_for_the_queries(book: Runbook) -> None:
    """What :connector_id in a query stands for comes with the guidance."""
    known = case(dataset={"name": "shopify_orders", "connector_id": "conn-1"})
    guidance = _guidance(advised(book, diagnosis(hypothesis(sync_failure())), known))
    assert guidance.connector_id == "conn-1"


def test_command_that_changes_things_says_so(book: Runbook) -> None:
    """The dbt run is marked, names the failed model, and is the only step that changes anything."""
    steps = _guidance(advised(book, diagnosis(hypothesis(model_failure())))).steps
    changing = [step.command for step in steps if step.changes_things]
    assert changing == ["dbt run --select orders --target prod"]


def test_command_takes_no_mark_from_the_data(book: Runbook) -> None:
    """A dataset's name cannot leave its place in a URL or in a shell."""
    hostile = '"; rm -rf / #$(x)`y`'
    done = advised(book, diagnosis(dataset=hostile))
    command = next(step.command for step in _guidance(done).steps if step.command)
    assert "%22%3B%20rm%20-rf%20%2F%20%23%24%28x%29%60y%60/analyze" in command
    assert command.endswith('?anomaly_type=volume_anomaly"')


def test_advice_replaces_earlier_advice(book: Runbook) -> None:
    """Advising twice gives what advising once gives, and leaves the engine's part alone."""
    found = diagnosis(hypothesis(sync_failure(error_code="auth_error")), hypothesis(removed("a")))
    once = advised(book, found)
    assert advised(book, once) == once
    kept = {"hypotheses", "guidance"}
    assert once.model_dump(exclude=kept) == found.model_dump(exclude=kept)
    assert Diagnosis.model_validate_json(once.to_json()) == once


def test_rule_that_cannot_be_evaluated_is_a_note(book: Runbook) -> None:
    """A rule that fails on the facts of the night is named, and the rules beside it still escalate."""
    page = book.pages[hypothesis(sync_failure()).cause_type]
    fragile = compile_condition(
        "10 / evidence.consecutive_failures > 1 || true",
        (world_of(SignalCode.SYNC_FAILURE),),
        Yields.YES_OR_NO,
    )
    broken = replace(fragile, yields=Yields.TEXT)
    rules = (replace(page.rules[0], rule_id="x.fragile", when=broken), *page.rules)
    changed = replace(book, pages={**book.pages, page.cause: replace(page, rules=rules)})
    done = advised(changed, diagnosis(hypothesis(sync_failure(error_code="auth_error"))))
    assert [e.rule for e in done.hypotheses[0].escalations] == ["ingestion.auth_persisting"]
    assert _guidance(done).notes == (
        "Rule x.fragile could not be evaluated: gives bool instead of a text or null",
    )


def test_deadline_beyond_the_calendar_is_a_note(book: Runbook) -> None:
    """A date that cannot exist stops nothing."""
    end = datetime.max.replace(tzinfo=UTC)
    evidence = sync_failure(error_code="auth_error", failed_since=end)
    done = advised(book, diagnosis(hypothesis(evidence)), now=end)
    assert done.hypotheses[0].escalations == ()
    assert "ingestion.auth_persisting could not be evaluated" in _guidance(done).notes[0]


shares = st.floats(min_value=0.0, max_value=1.0)
texts = st.text(max_size=40) | st.none()
moments = st.datetimes(
    min_value=datetime.fromisoformat("0001-01-02"),
    max_value=datetime.fromisoformat("9999-12-30"),
    timezones=st.just(UTC),
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
odd_failures = st.builds(
    sync_failure,
    error_code=st.sampled_from(["auth_error", "rate_limit", "other", None]),
    error_message=texts,
    job_id=st.text(max_size=10),
    failed_since=moments,
    consecutive_failures=st.integers(),
)
evidences = st.one_of(
    odd_failures,
    st.builds(lambda m: one_of_each()[1].model_copy(update={"error_message": m}), texts),
    st.builds(lambda x: one_of_each()[9].model_copy(update={"ratio": x}), numbers),
    st.builds(
        lambda x: one_of_each()[11].model_copy(update={"cardinality_change_pct": x}), numbers
    ),
    st.builds(removed, texts.map(lambda text: text or "c"), st.just("b")),
    st.builds(model_failure, texts.map(lambda text: text or "m"), moments),
    st.sampled_from(BOOK_EVIDENCE),
)
hypotheses_of = st.builds(hypothesis, evidences, confidence=shares)
runs = st.builds(
    lambda at, deployed, by: {"dbt_generated_at": at, "deployed_at": deployed, "deployed_by": by},
    moments,
    moments | st.none(),
    texts,
)
cases = st.builds(
    lambda dbt_runs, flag, parents: case(
        dbt_runs=dbt_runs,
        dataset={"name": "d", "dbt_node": "n0", "merchant_facing": flag},
        lineage={"parents": parents, "columns_used": {"n1": ["n0.c"]}, "critical_models": ["n2"]},
    ),
    st.lists(runs, max_size=3),
    st.booleans() | st.none(),
    st.dictionaries(
        st.sampled_from(["n0", "n1", "n2"]),
        st.lists(st.sampled_from(["n0", "n1", "n2"]), max_size=3),
    ),
)


@given(found=st.lists(hypotheses_of, max_size=4), facts=cases, now=moments, opened_at=moments)
def test_advice_never_raises(
    book: Runbook, found: list[Diagnosis], facts: object, now: datetime, opened_at: datetime
) -> None:
    """Any diagnosis of any case gets a response, and what is said survives JSON."""
    done = advised(book, diagnosis(*found), facts, now=now, opened_at=opened_at)
    assert _guidance(done).response
    assert len(done.hypotheses) == len(found)
    assert Diagnosis.model_validate_json(done.to_json()) == done


def test_row_of_the_diagnosis_is_its_bands(book: Runbook) -> None:
    """The response belongs to the band that the diagnosis shows."""
    for confidence in (0.9, 0.85, 0.6, 0.4, 0.1):
        first = hypothesis(sync_failure(), confidence=confidence)
        second = hypothesis(removed(), confidence=0.1, rank=2)
        done = advised(book, diagnosis(first, second))
        assert _guidance(done).response == book.matrix.row(Band(done.band)).response


def test_large_evidence_stays_cheap_to_read(book: Runbook) -> None:
    """A reason stays one short line when thousands of columns changed."""
    evidence = removed(*(f"column_{n}" for n in range(5_000)))
    facts = case()
    found = diagnosis(hypothesis(evidence))
    incident = context_of(facts, found, opened_at=NOW - timedelta(hours=1), now=NOW)
    done = advise(found, facts, incident, book, NOW)
    reason = done.hypotheses[0].escalations[0].reason
    assert reason.endswith("column_3, column_4 and 4995 more")
    assert incident.age_s == 3600.0
