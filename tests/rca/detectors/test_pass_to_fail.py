"""pass_to_fail: tests that turned."""

from __future__ import annotations

import copy
import json

import pytest

from rca.detection import Signal
from rca.engine import diagnose
from rca.view import view_of

TEST = "test.shop.unique_orders_id.1"
MODEL = "model.shop.orders"


def test_a_test_that_turned_with_new_code_fires(pipeline):
    """Always passed, now fails, and the model it tests is built by new code."""
    pipeline.node(TEST, 1, status="fail").node(MODEL, 1, checksum="sha256:new")
    answer = pipeline.ask("pass_to_fail")
    assert isinstance(answer, Signal)
    assert answer.strength > 0.98
    assert answer.evidence.code_changed is True
    assert [(t.unique_id, t.from_, t.to) for t in answer.evidence.transitions] == [
        (TEST, "pass", "fail")
    ]


def test_without_a_code_change_it_weighs_less(pipeline):
    """The runbook says to look at the upstream schema first."""
    plain = pipeline.node(TEST, 1, status="fail").ask("pass_to_fail")
    assert plain.evidence.code_changed is False
    assert (
        0.8
        < plain.strength
        < pipeline.node(MODEL, 1, checksum="sha256:new").ask("pass_to_fail").strength
    )


COUNTS_ROWS = "test.shop.dbt_expectations_row_count_orders.3"


def row_count_test(pipeline):
    """A test of the number of rows beside the one of the key; both passed until today."""
    pipeline.document["lineage"]["parents"][COUNTS_ROWS] = [MODEL]
    for run in pipeline.document["dbt_runs"]:
        key = next(result for result in run["results"] if result["unique_id"] == TEST)
        run["results"].append(key | {"unique_id": COUNTS_ROWS})
    return pipeline


def test_a_count_of_rows_says_nothing_new_when_the_alert_is_about_rows(pipeline):
    """A promotion: three times the rows, and a test that counts them fails. The alert has said so already."""
    rows = {"name": "row_count", "observed": 3000, "expected": 1000}
    row_count_test(pipeline).alert(metric=rows).rows(3.0).node(COUNTS_ROWS, 1, status="fail")
    echo = pipeline.ask("pass_to_fail").strength
    assert echo < 0.5
    assert diagnose(pipeline.case()).hypotheses == ()
    another = pipeline.alert(anomaly_type="distribution_anomaly").ask("pass_to_fail").strength
    assert another > 0.8


def test_new_code_speaks_even_where_the_test_repeats_the_alert(pipeline):
    """Rows doubled by a deploy: the test that counts them is an echo, the code is not."""
    row_count_test(pipeline).node(COUNTS_ROWS, 1, status="fail")
    pipeline.node(MODEL, 1, checksum="sha256:new")
    answer = pipeline.ask("pass_to_fail")
    assert answer.strength > 0.9
    assert answer.evidence.code_changed is True


def test_an_alert_raised_by_the_test_itself_is_no_echo_of_it(pipeline):
    """The check that failed is what the alert is about; its turn is the evidence."""
    row_count_test(pipeline).node(COUNTS_ROWS, 1, status="fail")
    pipeline.alert(anomaly_type="quality_check_failure", check_id=COUNTS_ROWS)
    assert pipeline.ask("pass_to_fail").strength > 0.8


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("table", ["fct_volume", "orders_row_count", "volume"])
def test_a_table_named_after_volumes_makes_no_echo(pipeline, table, known):
    """A test of its range says as much as of any other table, also where only its name ties it to the table."""
    plain = pipeline.node(TEST, 1, status="fail").ask("pass_to_fail")
    test = f"test.shop.dbt_utils_accepted_range_{table}_total.4"
    text = json.dumps(pipeline.document).replace(f'"{TEST}"', f'"{test}"')
    pipeline.document = json.loads(text.replace(f'"{MODEL}"', f'"model.shop.{table}"'))
    if not known:
        del pipeline.document["lineage"]["parents"][test]
    assert pipeline.ask("pass_to_fail").strength == plain.strength


def test_of_two_equal_turns_the_order_of_the_results_names_none(pipeline):
    """Two tests turn in one run; whichever result dbt wrote first, the sentence and the evidence are the same."""
    row_count_test(pipeline).alert(anomaly_type="freshness_anomaly")
    answer = (
        pipeline.node(TEST, 1, status="fail")
        .node(COUNTS_ROWS, 1, status="fail")
        .ask("pass_to_fail")
    )
    for run in pipeline.document["dbt_runs"]:
        run["results"].reverse()
    assert len(answer.evidence.transitions) == 2
    assert pipeline.ask("pass_to_fail") == answer


def test_a_test_that_always_failed_does_not(pipeline):
    """Without a pass there is no turn."""
    assert pipeline.node(TEST, 7, status="fail").ask("pass_to_fail") is None


def test_a_test_that_fails_every_few_runs_hardly_fires(pipeline):
    """Flaky: it failed before and recovered."""
    pipeline.node(TEST, 5, status="fail").node(TEST, 4, status="pass").node(TEST, 1, status="fail")
    assert pipeline.ask("pass_to_fail").strength < 0.7


def test_a_test_on_a_model_downstream_does_not(pipeline):
    """It looks at what the dataset feeds."""
    assert (
        pipeline.node("test.shop.not_null_report_id.2", 1, status="fail").ask("pass_to_fail")
        is None
    )


def test_a_skipped_test_is_no_pass_and_no_failure(pipeline):
    """The last real result counts."""
    assert pipeline.node(TEST, 1, status="skipped").ask("pass_to_fail") is None


def test_a_test_missing_in_the_graph_is_found_by_its_name(pipeline):
    """Dbt writes the tested model into a test's name; the longest name that fits decides."""
    del pipeline.document["lineage"]["parents"][TEST]
    assert isinstance(pipeline.node(TEST, 1, status="fail").ask("pass_to_fail"), Signal)


def test_a_name_of_a_longer_model_is_not_taken_for_a_shorter_one(pipeline):
    """A test on ``orders_daily`` says nothing of ``orders``."""
    parents = pipeline.document["lineage"]["parents"]
    parents["model.shop.orders_daily"] = [MODEL]
    for run in pipeline.document["dbt_runs"]:
        status = "fail" if run is pipeline.document["dbt_runs"][-1] else "pass"
        run["results"].append({"unique_id": "test.shop.unique_orders_daily_id.9", "status": status})
    assert pipeline.ask("pass_to_fail") is None


def test_without_lineage_nobody_says_that_the_code_is_unchanged(pipeline):
    """The code of what feeds the dataset is out of sight: the change is unknown, and weighs as if there were none."""
    pipeline.node(TEST, 1, status="fail")
    seen, unseen = pipeline.ask("pass_to_fail"), pipeline.without("lineage").ask("pass_to_fail")
    assert (seen.evidence.code_changed, unseen.evidence.code_changed) == (False, None)
    assert "not known" in unseen.because
    assert unseen.strength <= seen.strength


def test_without_lineage_the_dataset_s_own_new_code_is_still_told(pipeline):
    """One change that is seen is enough."""
    pipeline.without("lineage").node(TEST, 1, status="fail").node(MODEL, 1, checksum="sha256:new")
    assert pipeline.ask("pass_to_fail").evidence.code_changed is True


@pytest.mark.parametrize("place", [0, -1])
def test_a_run_that_was_delivered_twice_is_one_run(pipeline, place):
    """The same artifact again makes nobody surer, wherever it comes in the list."""
    pipeline.node(TEST, 1, status="fail").node(MODEL, 1, checksum="sha256:new")
    once = diagnose(pipeline.case())
    runs = pipeline.document["dbt_runs"]
    runs.insert(3, copy.deepcopy(runs[place]))
    assert diagnose(pipeline.case()) == once


def test_another_run_is_not_taken_for_the_same(pipeline):
    """A second run at the same instant, with another outcome, counts: the test failed in it, too."""
    pipeline.node(TEST, 1, status="fail")
    runs = pipeline.document["dbt_runs"]
    before = len(view_of(pipeline.case()).dbt.runs)
    runs.append(copy.deepcopy(runs[-1]) | {"git_sha": "bbb"})
    assert len(view_of(pipeline.case()).dbt.runs) == before + 1
