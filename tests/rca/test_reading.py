"""How a document is read: null for a default, and the garbage collector left as it was found."""

from __future__ import annotations

import gc
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from rca.case import Case, CaseError, DbtRun, DimensionProfile, Exposure, Lineage, parse_case
from rca.reading import nothing_collected

FRAME = {
    "case_id": "c",
    "as_of": "2026-03-02T07:10:00Z",
    "anomaly": {
        "tenant_id": "acme",
        "dataset": "orders",
        "anomaly_type": "other",
        "detected_at": "2026-03-02T07:05:00Z",
    },
}
AT = "2026-03-02T07:00:00Z"
WINDOW = {"dimension": "country", "window_start": AT, "window_end": AT, "counts": {}}


@pytest.fixture
def collector():
    """Leave the garbage collector on, whatever a test did to it."""
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("model", "document", "field", "default"),
    [
        (DbtRun, {"dbt_generated_at": AT}, "results", ()),
        (Exposure, {"unique_id": "e"}, "depends_on", ()),
        (Lineage, {}, "parents", {}),
        (DimensionProfile, WINDOW, "truncated", False),
        (Case, FRAME, "holes", ()),
    ],
)
def test_null_is_the_same_as_a_missing_key(model, document, field, default):
    """Both give the field's default, from JSON and from Python alike."""
    for given in (document, document | {field: None}):
        assert getattr(model.model_validate(given), field) == default
        assert getattr(model.model_validate_json(json.dumps(given)), field) == default


def test_a_default_belongs_to_one_document():
    """Two documents never share an empty dict."""
    first, second = (Lineage.model_validate({"parents": None}) for _ in range(2))
    assert first.parents is not second.parents


def test_the_schema_names_the_type_alone():
    """What writers are told to write has no null where a missing key says it."""
    shown = DimensionProfile.model_json_schema()["properties"]["truncated"]
    assert shown == {"default": False, "title": "Truncated", "type": "boolean"}


@pytest.mark.parametrize("number", [1_772_435_400, 1_772_435_400.5, 1_772_435_400_000, 0])
@pytest.mark.parametrize("read", [parse_case, lambda case: parse_case(json.dumps(case))])
def test_a_number_is_no_time(read, number):
    """Seconds or thousandths, from JSON or already read: what to write instead is said at each field."""
    job = {"id": "1", "status": "failed", "started_at": number}
    told = "must be a time with its offset, such as 2026-03-02T07:05:00Z"
    with pytest.raises(CaseError) as refused:
        read({**FRAME, "as_of": number, "ingestion_jobs": [job]})
    assert str(refused.value) == f"as_of: {told}; ingestion_jobs[0].started_at: {told}"
    assert read(FRAME)[0].as_of.isoformat() == "2026-03-02T07:10:00+00:00"


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize(("found", "raw"), [(True, FRAME), (False, FRAME), (True, {}), (False, {})])
def test_the_collector_stays_as_it_was_found(found, raw):
    """On or off before, and whether the document is one or not."""
    (gc.enable if found else gc.disable)()
    try:
        parse_case(raw)
    except CaseError:
        assert raw == {}
    assert gc.isenabled() is found


@pytest.mark.usefixtures("collector")
def test_of_two_readers_the_last_turns_the_collector_on():
    """The second begins while the first reads and ends after it; whoever reads next finds the collector on."""
    first, second = nothing_collected(), nothing_collected()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_threads_that_read_at_once_leave_the_collector_on():
    """The one that found it off leaves it to the one that switched it off."""
    raw = json.dumps(FRAME)
    with ThreadPoolExecutor(8) as pool:
        cases = list(pool.map(lambda _: parse_case(raw)[0], range(200)))
    assert len(cases) == 200
    assert gc.isenabled()
