"""From signals to ranked hypotheses: the only place where confidence is made.

The hidden cause is one of the thirteen faults, two of them from different causes, or none.
Each state says how likely every reading is: its own signal by the strength, other signals as its symptoms, silence of a
detector that looked by its sensitivity, and nothing at all of one that could not look.
The confidence of a cause is the probability of all states it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from rca.diagnosis import Factor, Hypothesis, SignalReading
from rca.evidence import (
    CAUSE_OF,
    CardinalityExplosionEvidence,
    Cause,
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

CODES: Final = tuple(SignalCode)
CAUSES: Final = tuple(Cause)
PLACE: Final = {code: i for i, code in enumerate(CODES)}
PAIRS: Final = tuple(
    (i, j)
    for i, j in combinations(range(len(CODES)), 2)
    if CAUSE_OF[CODES[i]] is not CAUSE_OF[CODES[j]]
)
SchemaEvidence = ColumnRemovedEvidence | ColumnTypeChangedEvidence | UnexpectedColumnEvidence

OFF_SUBJECT: Final = (
    0.08  # P(a check of this subject fails | a fault of another kind), in the scale of CONTEXT
)
SUBJECTS: Final = (
    (("freshness", "recency", "staleness"), ("freshness",)),
    (("schema", "column_exists", "columns"), ("schema",)),
    (("row_count", "rowcount", "volume"), ("volume_up", "volume_down")),
    (("dimension", "distribution", "distinct", "cardinality"), ("distribution",)),
)
"""What the checks of dbt, Elementary, Soda and Great Expectations call what they look at; the first that fits counts."""
SHOWS_FROM: Final = (
    0.5  # strength; from here a signal is more likely a fault than chance and stays visible
)
LISTED_FROM: Final = (
    0.10  # confidence; a weaker hypothesis without a telling signal is not worth a line
)

_FIRST: Final = np.array([i for i, _ in PAIRS])
_SECOND: Final = np.array([j for _, j in PAIRS])
_PRIOR: Final = np.array([PRIOR[code] for code in CODES])
_PAIR_PRIOR: Final = _PRIOR[_FIRST] * _PRIOR[_SECOND]
_LOG_PRIOR: Final = np.log(
    np.concatenate(
        [[PRIOR_NONE], _PRIOR * (1.0 - PRIOR_TWO), PRIOR_TWO * _PAIR_PRIOR / _PAIR_PRIOR.sum()]
    )
)
_SENSITIVITY: Final = np.array([SENSITIVITY[code] for code in CODES])
_SYMPTOMS: Final = np.array([[SYMPTOMS[row].get(column, 0.0) for column in CODES] for row in CODES])
_CONTEXT: Final = np.array([CONTEXT[None]] + [CONTEXT[code] for code in CODES])
_STATES_WITH: Final = np.concatenate(
    [
        np.zeros((1, len(CODES))),
        np.eye(len(CODES)),
        np.array([[float(k in pair) for k in range(len(CODES))] for pair in PAIRS]),
    ]
)
_MEMBER: Final = np.array([[CAUSE_OF[code] is cause for cause in CAUSES] for code in CODES])


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


def rank(
    signals: Sequence[Signal], skipped: Mapping[SignalCode, Skipped], anomaly: Anomaly, model: Model
) -> tuple[Hypothesis, ...]:
    """Return the hypotheses that the signals speak for, most probable first.

    Args:
        signals: what shows, at most one of each code.
        skipped: the detectors that could not look; their silence counts for nothing.
        anomaly: its kind and direction are evidence too.
        model: the weights.
    """
    by_code = {signal.code: signal for signal in signals}
    posterior = weigh(by_code, skipped, anomaly, model)
    faults = posterior.faults
    confidence = np.minimum(1.0, _MEMBER.T.astype(np.float64) @ faults)
    listed = []
    for place, cause in enumerate(CAUSES):
        own = sorted(
            (s for s in signals if s.cause is cause),
            key=lambda s: (-faults[PLACE[s.code]], s.code.value),
        )
        if own and (confidence[place] >= LISTED_FROM or max(s.strength for s in own) >= SHOWS_FROM):
            listed.append((-float(confidence[place]), place, cause, tuple(own)))
    listed.sort(key=lambda item: item[:2])
    top = listed[0][2] if listed else None
    return tuple(
        _hypothesis(number, -negative, cause, own, posterior, by_code, top)
        for number, (negative, _, cause, own) in enumerate(listed, start=1)
    )


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
    return np.where(fired, shown, np.where(blind, 0.0, silent))


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
    return np.log(np.concatenate([likely[:1], faults, (faults[_FIRST] + faults[_SECOND]) / 2.0]))


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


def _hypothesis(
    number: int,
    confidence: float,
    cause: Cause,
    own: tuple[Signal, ...],
    posterior: Posterior,
    by_code: Mapping[SignalCode, Signal],
    top: Cause | None,
) -> Hypothesis:
    return Hypothesis(
        rank=number,
        cause_type=cause,
        confidence=round(confidence, 4),
        evidence=own[0].evidence,
        signals=tuple(
            SignalReading(signal=s.code, strength=round(s.strength, 4), evidence=s.evidence)
            for s in own
        ),
        because=own[0].because,
        symptom_of=_explained_by(own[0], posterior, by_code, top),
        factors=_factors(own[0].code, posterior, by_code),
    )


def _explained_by(
    own: Signal, posterior: Posterior, by_code: Mapping[SignalCode, Signal], top: Cause | None
) -> Cause | None:
    """Return the top cause when it explains *own* better than chance does, and nothing needs *own* as a cause."""
    if top is None or own.cause is top:
        return None
    faults = posterior.faults
    causing = [c for c in by_code if CAUSE_OF[c] is top]
    best = max(causing, key=lambda c: faults[PLACE[c]])
    explains = posterior.symptom[PLACE[best], PLACE[own.code]] > 0.0
    return top if explains and faults[PLACE[own.code]] < 0.5 else None  # noqa: PLR2004 - more likely not a cause itself


def _factors(
    code: SignalCode, posterior: Posterior, by_code: Mapping[SignalCode, Signal]
) -> tuple[Factor, ...]:
    """Return the terms of the state in which *code* alone is the cause, against the state without any."""
    i = PLACE[code]
    terms = [
        ("prior", float(_LOG_PRIOR[1 + i] - _LOG_PRIOR[0]), "how often this is the cause at all"),
        (
            "kind_of_anomaly",
            float(posterior.context[1 + i] - posterior.context[0]),
            "how this kind of alert fits",
        ),
        (code.value, float(posterior.own[i]), "the signal itself"),
    ]
    others = [(c.value, float(posterior.symptom[i, PLACE[c]])) for c in by_code if c is not code]
    terms += [
        (name, value, "explained by it" if value > 0.0 else "not explained by it")
        for name, value in others
    ]
    silent = float(
        posterior.symptom[i].sum() - posterior.symptom[i, i] - sum(value for _, value in others)
    )
    terms.append(("silence", silent, "consequences that were looked for and did not show"))
    total = float(posterior.logs[1 + i] - posterior.logs[0])
    terms.append(
        ("calibration", total - sum(value for _, value, _ in terms), "fitted from answers")
    )
    return tuple(
        Factor(name=name, value=round(value, 3), text=text)
        for name, value, text in terms
        if abs(value) >= 0.0005
    )  # noqa: PLR2004 - rounds to nothing
