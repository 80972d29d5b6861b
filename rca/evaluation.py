"""Diagnoses against known truth: how often right, how sure, and how honest about what could not be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from rca.case import Document, RcaError
from rca.diagnosis import ACT_ABOVE, ALL_FROM, Diagnosis, Hypothesis
from rca.evidence import (
    CAUSE_OF,
    FACT_OF,
    Cause,
    DistributionDriftEvidence,
    Evidence,
    NewValuesEvidence,
    SignalCode,
)
from rca.expected import refusal
from rca.view.dimensions import joined

BINS: Final = 15  # bins of equal mass for the calibration error
NO_CAUSE: Final = "(no cause)"


class TruthError(RcaError):
    """A line of truth that cannot be used; the text names the line and the field."""


class Mover(Document):
    """The value of a dimension that moved; ``value`` is null when the dimension as a whole did."""

    dimension: str
    value: str | None = None


class Segment(Document):
    """The combination of values that moved."""

    dimensions: tuple[str, ...]
    values: tuple[str, ...]


class Truth(Document):
    """What is true of one case: its causes (primary first), what shows them, what is a mere symptom."""

    case_id: str
    causes: tuple[Cause, ...]
    signal: tuple[SignalCode, ...] = ()
    symptoms: tuple[Cause, ...] = ()
    diagnosable: bool = True
    difficulty: str = "?"
    tags: tuple[str, ...] = ()
    holes: tuple[str, ...] = ()
    top_mover: Mover | None = None
    segment: Segment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The measures of one group of cases; rates in [0, 1], None where the group has no case to measure."""

    n: int
    positives: int
    negatives: int
    top1: float | None
    top1_diagnosable: float | None
    top1_positives: float | None
    negatives_quiet: float | None
    mrr: float | None
    signal_accuracy: float | None
    signal_given_top1: float | None
    symptom_errors: int
    false_confident: int
    false_confident_rate: float | None
    coverage_act: float | None
    precision_act: float | None
    precision_act_all: float | None
    ece: float | None
    brier: float | None
    holes: int
    holes_reported: float | None
    places: int
    places_found: float | None
    missing_or_malformed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The measures of all cases, and of each cause, difficulty and tag."""

    summary: Summary
    unknown_cases: int
    by_cause: Mapping[str, Summary]
    by_difficulty: Mapping[str, Summary]
    by_tag: Mapping[str, Summary]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One case judged: what is true of it and what the diagnosis made of it."""

    negative: bool
    diagnosable: bool
    right: bool
    hit: bool
    confidence: float
    has_hypothesis: bool
    reciprocal_rank: float
    signal_right: bool
    symptom_first: bool
    falsely_confident: bool
    holes: int
    holes_reported: int
    place_found: bool | None
    unusable: bool

    @property
    def acted(self) -> bool:
        """Whether people would have acted on it at once."""
        return self.confidence > ACT_ABOVE


def read_truths(lines: Iterable[str | bytes]) -> tuple[Truth, ...]:
    """Read truths, one JSON document a line; empty lines are skipped.

    Raises:
        TruthError: a line is not a truth, or a case has two; the text says which line and why.
    """
    found: dict[str, Truth] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            truth = Truth.model_validate_json(line)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False)
            raise TruthError(f"line {number}: {refusal(problems)}") from None
        if truth.case_id in found:
            raise TruthError(f"line {number}: a second truth for case {truth.case_id}")
        found[truth.case_id] = truth
    return tuple(found.values())


def evaluate(diagnoses: Iterable[Diagnosis], truths: Sequence[Truth]) -> Scores:
    """Score *diagnoses* against *truths*, joined by case id.

    Args:
        diagnoses: at most one for each case; a case with two, like one with none, counts as wrong.
        truths: one for each case.

    Returns:
        All measures; diagnoses of cases without a truth are only counted.
    """
    known = {truth.case_id for truth in truths}
    by_case: dict[str, list[Diagnosis]] = {}
    for diagnosis in diagnoses:
        by_case.setdefault(diagnosis.case_id, []).append(diagnosis)
    verdicts = [(truth, judge(truth, by_case.get(truth.case_id, []))) for truth in truths]
    return Scores(
        summary=summarise([verdict for _, verdict in verdicts]),
        unknown_cases=sum(len(found) for case_id, found in by_case.items() if case_id not in known),
        by_cause=_table(
            verdicts, lambda truth: [cause.value for cause in truth.causes] or [NO_CAUSE]
        ),
        by_difficulty=_table(verdicts, lambda truth: [truth.difficulty]),
        by_tag=_table(verdicts, lambda truth: truth.tags),
    )


def _table(
    verdicts: Sequence[tuple[Truth, Verdict]], groups_of: Callable[[Truth], Sequence[str]]
) -> dict[str, Summary]:
    groups: dict[str, list[Verdict]] = {}
    for truth, verdict in verdicts:
        for group in groups_of(truth):
            groups.setdefault(group, []).append(verdict)
    return {group: summarise(groups[group]) for group in sorted(groups)}


def judge(truth: Truth, found: Sequence[Diagnosis]) -> Verdict:
    """Return what *found*, which should be one diagnosis, made of the case."""
    usable = found[0] if len(found) == 1 else None
    hypotheses = usable.hypotheses if usable is not None else ()
    top = hypotheses[0] if hypotheses else None
    confidence = top.confidence if top is not None else 0.0
    negative = not truth.causes
    hit = top is not None and top.cause_type in truth.causes
    right = usable is not None and (confidence < ALL_FROM if negative else hit)
    facts = [fact for fact in truth.holes if fact in _DETECTORS_OF]
    return Verdict(
        negative=negative,
        diagnosable=truth.diagnosable,
        right=right,
        hit=hit,
        confidence=confidence,
        has_hypothesis=top is not None,
        reciprocal_rank=_reciprocal_rank(truth, hypotheses),
        signal_right=hit and top is not None and top.evidence.signal in truth.signal,
        symptom_first=not negative and top is not None and top.cause_type in truth.symptoms,
        falsely_confident=confidence > ACT_ABOVE and not (hit and not negative),
        holes=len(facts),
        holes_reported=sum(_reported(fact, usable) for fact in facts) if usable is not None else 0,
        place_found=_place_found(truth, hypotheses),
        unusable=usable is None,
    )


def _place_found(truth: Truth, hypotheses: Sequence[Hypothesis]) -> bool | None:
    """Return whether any evidence names the value or combination that moved; None where none could be named."""
    wanted = _place(truth) if truth.diagnosable else None
    if wanted is None:
        return None
    return any(wanted in _named(signal.evidence) for h in hypotheses for signal in h.signals)


def _place(truth: Truth) -> tuple[str, str] | None:
    """Return the dimension and its value that moved, both joined for a combination, as evidence spells them."""
    if truth.segment is not None:
        return joined(truth.segment.dimensions), joined(truth.segment.values)
    mover = truth.top_mover
    return (mover.dimension, mover.value) if mover is not None and mover.value is not None else None


def _named(evidence: Evidence) -> frozenset[tuple[str, str]]:
    match evidence:
        case DistributionDriftEvidence():
            first = ((evidence.dimension, mover.value) for mover in evidence.top_movers)
            others = (
                (o.dimension, mover.value) for o in evidence.also_moved for mover in o.top_movers
            )
            return frozenset((*first, *others))
        case NewValuesEvidence():
            return frozenset((new.dimension, new.value) for new in evidence.new_values)
        case _:
            return frozenset()


def _reciprocal_rank(truth: Truth, hypotheses: Sequence[Hypothesis]) -> float:
    ranks = (place for place, h in enumerate(hypotheses, start=1) if h.cause_type in truth.causes)
    first = next(ranks, None)
    return 1.0 / first if first is not None else 0.0


_DETECTORS_OF: Final = {
    fact.value: frozenset(code.value for code, cause in CAUSE_OF.items() if FACT_OF[cause] is fact)
    for fact in (FACT_OF[cause] for cause in Cause)
}


def _reported(fact: str, diagnosis: Diagnosis) -> bool:
    names = _DETECTORS_OF[fact] | {fact}
    return any(
        spot.detector in names or fact in spot.detector or fact in spot.reason
        for spot in diagnosis.blind_spots
    )


def summarise(verdicts: Sequence[Verdict]) -> Summary:
    """Return the measures of one group of judged cases; each is explained in docs/accuracy.md."""
    positives = [v for v in verdicts if not v.negative]
    diagnosable = [v for v in positives if v.diagnosable]
    acted = [v for v in verdicts if v.acted]
    stated = [v for v in verdicts if v.has_hypothesis]
    negatives = [v for v in verdicts if v.negative]
    holes = sum(v.holes for v in verdicts)
    return Summary(
        n=len(verdicts),
        positives=len(positives),
        negatives=len(negatives),
        top1=_share(v.right for v in verdicts),
        top1_diagnosable=_share(v.right for v in verdicts if v.negative or v.diagnosable),
        top1_positives=_share(v.right for v in diagnosable),
        negatives_quiet=_share(v.right for v in negatives),
        mrr=_mean([v.reciprocal_rank for v in positives]),
        signal_accuracy=_share(v.signal_right for v in diagnosable),
        signal_given_top1=_share(v.signal_right for v in diagnosable if v.right),
        symptom_errors=sum(v.symptom_first for v in verdicts),
        false_confident=sum(v.falsely_confident for v in verdicts),
        false_confident_rate=_share(v.falsely_confident for v in verdicts),
        coverage_act=_share(v.acted for v in diagnosable),
        precision_act=_share(v.right for v in diagnosable if v.acted),
        precision_act_all=_share(v.hit for v in acted),
        ece=calibration_error([(v.confidence, v.hit) for v in stated]),
        brier=_mean([(v.confidence - v.hit) ** 2 for v in stated]),
        holes=holes,
        holes_reported=sum(v.holes_reported for v in verdicts) / holes if holes else None,
        places=sum(v.place_found is not None for v in verdicts),
        places_found=_share(v.place_found for v in verdicts if v.place_found is not None),
        missing_or_malformed=sum(v.unusable for v in verdicts),
    )


def calibration_error(stated: Sequence[tuple[float, bool]]) -> float | None:
    """Return the mean distance between confidence and hit rate over bins of equal mass, in [0, 1].

    Args:
        stated: confidence of the top hypothesis, and whether it was true.

    Returns:
        None when there is nothing to measure.

    Source: Guo et al. (2017), expected calibration error, here with equal-mass bins.
    """
    if not stated:
        return None
    ordered = sorted((confidence, float(hit)) for confidence, hit in stated)
    bins, size, error = min(BINS, len(ordered)), len(ordered), 0.0
    for k in range(bins):
        part = ordered[k * size // bins : (k + 1) * size // bins]
        mean_confidence = sum(c for c, _ in part) / len(part)
        hit_rate = sum(h for _, h in part) / len(part)
        error += len(part) / size * abs(mean_confidence - hit_rate)
    return error


def _share(flags: Iterable[bool]) -> float | None:
    return _mean([float(flag) for flag in flags])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
