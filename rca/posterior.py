"""How probable each hidden cause is, given everything the detectors said and could not say.

The hidden cause is one of the thirteen faults, two of them from different causes, or none.
Each state says how likely every reading is: its own signal by the strength, other signals as its symptoms, silence of a
detector that looked by its sensitivity, and nothing at all of one that could not look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from rca.calibration import weight_of
from rca.case import Anomaly, AnomalyType
from rca.causal import (
    CONTEXT,
    CONTEXTS,
    LINKED,
    PRIOR,
    PRIOR_NONE,
    PRIOR_TWO,
    SENSITIVITY,
    SYMPTOMS,
    WRONG_ORDER,
    Model,
)
from rca.detection import Signal, Skipped
from rca.evidence import (
    CAUSE_OF,
    CardinalityExplosionEvidence,
    ColumnRemovedEvidence,
    ColumnTypeChangedEvidence,
    DbtModelFailureEvidence,
    DistributionDriftEvidence,
    Evidence,
    NewValuesEvidence,
    PassToFailEvidence,
    SignalCode,
    UnexpectedColumnEvidence,
)

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
SchemaEvidence = ColumnRemovedEvidence | ColumnTypeChangedEvidence | UnexpectedColumnEvidence

CODES: Final = tuple(SignalCode)
PLACE: Final = {code: i for i, code in enumerate(CODES)}
PAIRS: Final = tuple(
    (i, j)
    for i, j in combinations(range(len(CODES)), 2)
    if CAUSE_OF[CODES[i]] is not CAUSE_OF[CODES[j]]
)

# P(a check of this subject fails | a fault of another kind), in the scale of CONTEXT
OFF_SUBJECT: Final = 0.08
SUBJECTS: Final = (
    (("freshness", "recency", "staleness"), ("freshness",)),
    (("schema", "column_exists", "columns"), ("schema",)),
    (("row_count", "rowcount", "volume"), ("volume_up", "volume_down")),
    (("dimension", "distribution", "distinct", "cardinality"), ("distribution",)),
)
"""What the checks of dbt, Elementary, Soda and Great Expectations call their subject; the first that fits counts."""

_FIRST: Final = np.array([i for i, _ in PAIRS])
_SECOND: Final = np.array([j for _, j in PAIRS])
_PRIOR: Final = np.array([PRIOR[code] for code in CODES])
_BOTH: Final = _PRIOR[_FIRST] * _PRIOR[_SECOND]
_LOG_PRIOR: Final = np.log(
    np.concatenate([[PRIOR_NONE], _PRIOR * (1.0 - PRIOR_TWO), PRIOR_TWO * _BOTH / _BOTH.sum()])
)
_SENSITIVITY: Final = np.array([SENSITIVITY[code] for code in CODES])
_SYMPTOMS: Final = np.array([SYMPTOMS[row] for row in CODES])
_CONTEXT: Final = np.array([CONTEXT[None]] + [CONTEXT[code] for code in CODES])
_STATES_WITH: Final = np.concatenate(
    [
        np.zeros((1, len(CODES))),
        np.eye(len(CODES)),
        np.array([[float(k in pair) for k in range(len(CODES))] for pair in PAIRS]),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Probability of every state: none, each fault alone, each pair; with the log terms they came from.

    ``faults`` is the probability that each fault is at work, alone or with another.
    """

    states: Vector
    logs: Vector
    own: Vector
    symptom: Vector
    context: Vector
    faults: Vector

    def prior_of(self, place: int) -> float:
        """Return ln of how much more often the fault at *place* is the cause than none is."""
        return float(_LOG_PRIOR[1 + place] - _LOG_PRIOR[0])


def weigh(
    by_code: Mapping[SignalCode, Signal],
    skipped: Mapping[SignalCode, Skipped],
    anomaly: Anomaly,
    model: Model,
) -> Posterior:
    """Return how probable each state is, given all readings."""
    weights = np.array(
        [
            weight_of(by_code[c].strength) * model.weights[CAUSE_OF[c]] if c in by_code else 0.0
            for c in CODES
        ]
    )
    weights *= model.sharpness
    specific = np.array([by_code[c].specific if c in by_code else 0.0 for c in CODES])
    shared = weights - specific * model.sharpness
    fired = np.array([c in by_code for c in CODES])
    blind = np.array([c in skipped and c not in by_code for c in CODES])
    own = np.where(fired, weights, np.where(blind, 0.0, np.log1p(-_SENSITIVITY)))
    spread = _spread(by_code)
    symptom = _symptom_terms(spread, shared, fired, blind)
    single = own + symptom.sum(axis=1) - np.diagonal(symptom)
    both = 1.0 - (1.0 - spread[_FIRST]) * (1.0 - spread[_SECOND])
    pair_terms = _symptom_terms(both, shared, fired, blind)
    rows = np.arange(len(PAIRS))
    pairs = (
        own[_FIRST]
        + own[_SECOND]
        + pair_terms.sum(axis=1)
        - pair_terms[rows, _FIRST]
        - pair_terms[rows, _SECOND]
    )
    context = _context_terms(anomaly)
    offsets = np.array([model.offsets[CAUSE_OF[code]] for code in CODES])
    moved = np.concatenate([[0.0], offsets, offsets[_FIRST] + offsets[_SECOND]])
    logs = _LOG_PRIOR + moved + context + np.concatenate([[0.0], single, pairs])
    states = np.exp(logs - logs.max())
    states /= states.sum()
    faults = states @ _STATES_WITH
    return Posterior(
        states=states, logs=logs, own=own, symptom=symptom, context=context, faults=faults
    )


def _symptom_terms(
    spread: Vector, weights: Vector, fired: npt.NDArray[np.bool_], blind: npt.NDArray[np.bool_]
) -> Vector:
    """Return ln P(reading | state) - ln P(reading | chance) for each state (row) and signal that is not its own."""
    shown = np.log1p(spread * np.expm1(weights))
    silent = np.log1p(-spread * _SENSITIVITY)
    terms: Vector = np.where(fired, shown, np.where(blind, 0.0, silent))
    return terms


def _spread(by_code: Mapping[SignalCode, Signal]) -> Vector:
    """Return the symptom table for this case: links by lineage strengthen it, the wrong order in time weakens it."""
    spread = _SYMPTOMS.copy()
    for cause_code, cause in by_code.items():
        for code, symptom in by_code.items():
            if code is cause_code:
                continue
            i, j = PLACE[cause_code], PLACE[code]
            if _linked(cause, symptom):
                spread[i, j] = max(spread[i, j], LINKED)
            if (
                cause.onset is not None
                and symptom.seen_at is not None
                and symptom.seen_at < cause.onset
            ):
                spread[i, j] *= WRONG_ORDER
    return spread


def _linked(cause: Signal, symptom: Signal) -> bool:
    """Return whether lineage or a name ties this very consequence to this very cause."""
    match cause.evidence, symptom.evidence:
        case (
            ColumnRemovedEvidence() | ColumnTypeChangedEvidence() | UnexpectedColumnEvidence()
        ) as schema, effect:
            return _hits(schema, effect)
        case PassToFailEvidence(code_changed=True), DistributionDriftEvidence():
            return True  # the code that fails its tests also built the rows whose shares moved
        case _:
            return False


def _hits(schema: SchemaEvidence, effect: Evidence) -> bool:
    """Return whether *effect* is about a column that changed, or a model that failed over one."""
    columns = {change.column for change in schema.column_changes}
    match effect:
        case DbtModelFailureEvidence():
            return any(m.unique_id in schema.correlated_dbt_failures for m in effect.failing_models)
        case PassToFailEvidence():
            return any(t.unique_id in schema.correlated_dbt_failures for t in effect.transitions)
        case DistributionDriftEvidence() | CardinalityExplosionEvidence():
            return effect.dimension in columns
        case NewValuesEvidence():
            return not columns.isdisjoint(effect.dimensions_affected)
        case _:
            return False


def _context_terms(anomaly: Anomaly) -> Vector:
    """Return ln P(kind of anomaly | state); of two causes either may have raised the alert."""
    likely = _CONTEXT[:, _columns(anomaly)].mean(axis=1)
    subject = _subject(anomaly)
    if subject:
        likely = likely * (OFF_SUBJECT + _CONTEXT[:, subject].mean(axis=1))
    faults = likely[1:]
    terms: Vector = np.log(
        np.concatenate([likely[:1], faults, (faults[_FIRST] + faults[_SECOND]) / 2.0])
    )
    return terms


def _subject(anomaly: Anomaly) -> list[int]:
    """Return the kinds of anomaly that a check's own name speaks of; empty when it speaks of none."""
    if anomaly.check_id is None or anomaly.anomaly_type not in (
        AnomalyType.QUALITY_CHECK,
        AnomalyType.OTHER,
    ):
        return []
    name = anomaly.check_id.casefold()
    for words, contexts in SUBJECTS:
        if any(word in name for word in words):
            return [CONTEXTS.index(context) for context in contexts]
    return []


def _columns(anomaly: Anomaly) -> list[int]:
    kind, metric = anomaly.anomaly_type, anomaly.metric
    if kind is not AnomalyType.VOLUME:
        names = {
            AnomalyType.FRESHNESS: "freshness",
            AnomalyType.SCHEMA: "schema",
            AnomalyType.DISTRIBUTION: "distribution",
            AnomalyType.QUALITY_CHECK: "quality_check",
            AnomalyType.OTHER: "other",
        }
        return [CONTEXTS.index(names[kind])]
    expected = metric.expected if metric is not None else None
    if metric is None or metric.observed is None or expected is None or metric.observed == expected:
        return [CONTEXTS.index("volume_up"), CONTEXTS.index("volume_down")]
    return [CONTEXTS.index("volume_up" if metric.observed > expected else "volume_down")]
