"""How probable each hidden cause is, given everything the detectors said and could not say.

The hidden cause is one of the thirteen faults, two of them from different causes, or none.
Each state says how likely every reading is: its own signal by the strength, other signals as its symptoms, silence of a
detector that looked by its sensitivity, and nothing at all of one that could not look.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations
from typing import Final

import numpy as np
import numpy.typing as npt

from rca.calibration import weight_of
from rca.case import Anomaly
from rca.causal import (
    BY_SAME_CODE,
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
from rca.detection import Signal
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
from rca.subject import checked_subject, kinds_of
from rca.view.dimensions import JOINT

Vector = npt.NDArray[np.float64]
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

_FIRST: Final = np.array([i for i, _ in PAIRS])
_SECOND: Final = np.array([j for _, j in PAIRS])
_PRIOR: Final = np.array([PRIOR[code] for code in CODES])
_BOTH: Final = _PRIOR[_FIRST] * _PRIOR[_SECOND]
_LOG_PRIOR: Final = np.log(
    np.concatenate([[PRIOR_NONE], _PRIOR * (1.0 - PRIOR_TWO), PRIOR_TWO * _BOTH / _BOTH.sum()])
)
_CAUSES: Final = tuple(Cause)
_CAUSE_OF_EACH: Final = np.array(
    [[float(CAUSE_OF[c] is cause) for cause in _CAUSES] for c in CODES]
)
_CAUSES_OF: Final = np.concatenate(
    [np.zeros((1, len(_CAUSES))), _CAUSE_OF_EACH, _CAUSE_OF_EACH[_FIRST] + _CAUSE_OF_EACH[_SECOND]]
)
_SENSITIVITY: Final = np.array([SENSITIVITY[code] for code in CODES])
_SYMPTOMS: Final = np.array([SYMPTOMS[row] for row in CODES])
_NOTHING: Final = np.zeros(1)
_MISSED: Final = np.log1p(-_SENSITIVITY)
_IN_PAIR: Final = np.array([[k in pair for k in range(len(CODES))] for pair in PAIRS])
_ASIDE: Final = np.ascontiguousarray(1.0 - _IN_PAIR.T)
"""1 where the row's fault is not in the pair, so that its signal is a symptom there; 0 where it is the fault itself."""
_SILENT_ALONE: Final = np.log1p(-_SYMPTOMS * _SENSITIVITY)
_SILENT_BOTH: Final = np.where(
    _IN_PAIR,
    0.0,
    np.log1p(-(1.0 - (1.0 - _SYMPTOMS[_FIRST]) * (1.0 - _SYMPTOMS[_SECOND])) * _SENSITIVITY),
)
"""ln P(a detector that looked sees nothing | state), for the signals that are not the state's own."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the signals and the alert say of every state; only the silence of the other detectors is missing."""

    codes: frozenset[SignalCode]
    own: Vector
    symptom: Vector
    pairs: Vector
    context: Vector
    alert: Vector

    def but_for(self, skipped: Collection[SignalCode]) -> Posterior:
        """Return how probable each state is, if all detectors looked but those of *skipped*."""
        # 1 for who looked and saw nothing; what was heard is 0 there, so adding is putting in its place
        quiet = np.ones(len(CODES))
        quiet[[PLACE[code] for code in (*self.codes, *skipped)]] = 0.0
        own = self.own + _MISSED * quiet
        symptom = self.symptom + _SILENT_ALONE * quiet
        pairs = self.pairs + _SILENT_BOTH.dot(quiet) + own[_FIRST] + own[_SECOND]
        faults = own + symptom.sum(axis=1)
        logs = self.alert + np.concatenate([_NOTHING, faults, pairs])
        states = np.exp(logs - logs.max())
        states /= states.sum()
        return Posterior(
            states=states,
            logs=logs,
            own=own,
            symptom=symptom,
            context=self.context,
            faults=states.dot(_STATES_WITH),
        )


def hear(
    by_code: Mapping[SignalCode, Signal],
    anomaly: Anomaly,
    model: Model,
    *,
    assume_ties: bool = False,
) -> Heard:
    """Return what all signals say of every state, to be completed by who else looked.

    Args:
        by_code: the signals by their codes.
        anomaly: its kind and direction are evidence too.
        model: the weights.
        assume_ties: whether ties that nobody could check are taken to be there.
    """
    own = np.zeros(len(CODES))
    symptom = np.zeros((len(CODES), len(CODES)))
    pairs = np.zeros(len(PAIRS))
    spread = _spread(by_code, assume_ties=assume_ties)
    for code, signal in by_code.items():
        place = PLACE[code]
        own[place] = weight_of(signal.strength) * model.weights[signal.cause] * model.sharpness
        shared = math.expm1(own[place] - signal.specific * model.sharpness)
        drawn = spread[:, place]
        symptom[:, place] = np.log1p(drawn * shared)
        not_drawn = 1.0 - drawn
        drawn_by_both = 1.0 - not_drawn[_FIRST] * not_drawn[_SECOND]
        pairs += _ASIDE[place] * np.log1p(drawn_by_both * shared)
    context = _context_terms(kinds_of(anomaly), checked_subject(anomaly))
    return Heard(
        codes=frozenset(by_code),
        own=own,
        symptom=symptom,
        pairs=pairs,
        context=context,
        alert=_LOG_PRIOR + _moved(model) + context,
    )


def weigh(
    by_code: Mapping[SignalCode, Signal],
    skipped: Collection[SignalCode],
    anomaly: Anomaly,
    model: Model,
) -> Posterior:
    """Return how probable each state is, given all readings."""
    return hear(by_code, anomaly, model).but_for(skipped)


def _moved(model: Model) -> Vector:
    """Return by how much the model's offsets move the prior of each state."""
    moved: Vector = _CAUSES_OF.dot([model.offsets[cause] for cause in _CAUSES])
    return moved


def has_unknown_ties(by_code: Mapping[SignalCode, Signal]) -> bool:
    """Return whether one signal may have caused another, and a fact that would tell is missing."""
    return any(_tie(cause, symptom) is None for cause, symptom in permutations(by_code.values(), 2))


def _spread(by_code: Mapping[SignalCode, Signal], *, assume_ties: bool) -> Vector:
    """Return the symptom table for this case: links by lineage strengthen it, the wrong order in time weakens it."""
    spread = _SYMPTOMS.copy()
    for cause, symptom in permutations(by_code.values(), 2):
        i, j = PLACE[cause.code], PLACE[symptom.code]
        tied = _tie(cause, symptom)
        if tied or (tied is None and assume_ties):
            spread[i, j] = max(spread[i, j], LINKED)
        elif _is_same_code(cause, symptom):
            spread[i, j] *= BY_SAME_CODE
        if (
            cause.onset is not None
            and symptom.seen_at is not None
            and symptom.seen_at < cause.onset
        ):
            spread[i, j] *= WRONG_ORDER
    return spread


def _tie(cause: Signal, symptom: Signal) -> bool | None:
    """Return whether lineage or a name ties this very consequence to this very cause; None when nobody knows."""
    match cause.evidence, symptom.evidence:
        case (
            ColumnRemovedEvidence() | ColumnTypeChangedEvidence() | UnexpectedColumnEvidence()
        ) as schema, effect:
            return _hits(schema, effect)
        case PassToFailEvidence(code_changed=changed), DistributionDriftEvidence():
            return changed  # the code that fails its tests also built the rows whose shares moved
        case _:
            return False


def _is_same_code(cause: Signal, symptom: Signal) -> bool:
    """Return whether shares that moved are laid to code that is the same; code nobody could compare counts as such."""
    return isinstance(cause.evidence, PassToFailEvidence) and isinstance(
        symptom.evidence, DistributionDriftEvidence
    )


def _hits(schema: SchemaEvidence, effect: Evidence) -> bool:
    """Return whether *effect* is about a column that changed, or a model that failed over one."""
    columns = {change.column for change in schema.column_changes}
    match effect:
        case DbtModelFailureEvidence():
            return any(m.unique_id in schema.correlated_dbt_failures for m in effect.failing_models)
        case PassToFailEvidence():
            return any(t.unique_id in schema.correlated_dbt_failures for t in effect.transitions)
        case DistributionDriftEvidence() | CardinalityExplosionEvidence():
            return not columns.isdisjoint(effect.dimension.split(JOINT))
        case NewValuesEvidence():
            return not columns.isdisjoint(effect.dimensions_affected)
        case _:
            return False


@cache  # a few dozen combinations at most, and every alert asks for one
def _context_terms(kinds: tuple[str, ...], subject: tuple[str, ...]) -> Vector:
    """Return ln P(kind of anomaly | state), read-only; of two causes either may have raised the alert."""
    likely = _CONTEXT[:, _places(kinds)].mean(axis=1)
    if subject:
        likely = likely * (OFF_SUBJECT + _CONTEXT[:, _places(subject)].mean(axis=1))
    faults = likely[1:]
    terms: Vector = np.log(
        np.concatenate([likely[:1], faults, (faults[_FIRST] + faults[_SECOND]) / 2.0])
    )
    terms.flags.writeable = False
    return terms


def _places(contexts: tuple[str, ...]) -> list[int]:
    return [CONTEXTS.index(context) for context in contexts]
