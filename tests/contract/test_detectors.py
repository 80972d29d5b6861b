"""What every detector owes: pure, quiet on a healthy case, skipped on an empty one, evidence that survives."""

from __future__ import annotations

import gzip
import importlib
import pkgutil
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import rca.detectors
from rca.case import Case, parse_case
from rca.detection import Detector, Signal, Skipped
from rca.engine import diagnose
from rca.evidence import Evidence, SignalCode
from rca.registry import DETECTORS, RegistryError, catalog, collect
from rca.view import view_of

CASES = Path(__file__).parent.parent / "rca" / "cases"
EVIDENCE = TypeAdapter(Evidence)
ALL = [pytest.param(detector, id=code.value) for code, detector in DETECTORS.items()]


@pytest.fixture(scope="module")
def healthy() -> Case:
    return parse_case((CASES / "healthy.json").read_text(encoding="utf-8"))[0]


@pytest.fixture(scope="module")
def views():
    with gzip.open(CASES / "examples.cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [view_of(parse_case(line)[0]) for line in lines]


def test_every_signal_of_the_vocabulary_has_its_detector():
    """Thirteen signals, thirteen files."""
    assert set(DETECTORS) == set(SignalCode)
    modules = {module.name for module in pkgutil.iter_modules(rca.detectors.__path__)}
    assert modules == {code.value for code in SignalCode}


@pytest.mark.parametrize("detector", ALL)
def test_it_is_quiet_on_a_healthy_case(detector, healthy):
    """Nothing is broken, so nothing shows; and it did look."""
    assert detector.detect(view_of(healthy)) is None


@pytest.mark.parametrize("detector", ALL)
def test_it_is_skipped_on_an_empty_case(detector, healthy):
    """Without facts there is a reason and no signal."""
    bare = Case(case_id="x", as_of=healthy.as_of, anomaly=healthy.anomaly)
    spots = {spot.detector: spot.reason for spot in diagnose(bare).blind_spots}
    assert spots[detector.code.value]


@pytest.mark.parametrize("detector", ALL)
def test_it_is_pure(detector, views):
    """Same in, same out, on every example."""
    for view in views:
        assert detector.detect(view) == detector.detect(view)


@pytest.mark.parametrize("detector", ALL)
def test_what_it_says_is_well_formed(detector, views):
    """Strength in [0, 1], its own code, one sentence, and evidence that survives JSON under the runbook's keys."""
    signals = [answer for view in views if isinstance(answer := detector.detect(view), Signal)]
    for signal in signals:
        assert 0.0 <= signal.strength <= 1.0
        assert signal.code is detector.code
        assert signal.because.endswith(".")
        assert "\n" not in signal.because
        document = signal.evidence.model_dump(mode="json", by_alias=True)
        assert EVIDENCE.validate_python(document) == signal.evidence
        assert document["signal"] == detector.code.value
        assert "from_" not in str(document)
        if signal.onset is not None and signal.seen_at is not None:
            assert signal.onset <= signal.seen_at


@pytest.mark.parametrize("detector", ALL)
def test_it_fires_on_some_example(detector, views):
    """A detector that never fires would pass all other tests."""
    assert any(isinstance(detector.detect(view), Signal) for view in views)


@pytest.mark.parametrize("detector", ALL)
def test_its_docstring_says_when(detector):
    """The catalog and the next engineer need three answers."""
    doc = importlib.import_module(detector.detect.__module__).__doc__ or ""
    for words in ("Fires when:", "Abstains when:", "Looks like it but is not:"):
        assert words in doc


def test_the_catalog_names_every_detector_and_the_page_is_current():
    """docs/detectors.md is what ``catalog()`` prints."""
    text = catalog()
    assert all(f"## `{code.value}`" in text for code in SignalCode)
    page = Path(__file__).parent.parent.parent / "docs" / "detectors.md"
    assert page.read_text(encoding="utf-8") == text


def test_a_module_without_the_constant_is_refused():
    """At import, with the module's name."""
    with pytest.raises(RegistryError, match=r"rca\.detectors\.half_done has no constant DETECTOR"):
        collect([("rca.detectors.half_done", None)])


def test_two_modules_for_one_signal_are_refused():
    """At import, with the code."""
    detector = DETECTORS[SignalCode.SYNC_FAILURE]
    twin = Detector(code=detector.code, reads=(), detect=lambda _view: Skipped(reason="x"))
    with pytest.raises(RegistryError, match="twin claims sync_failure"):
        collect([("original", detector), ("twin", twin)])
