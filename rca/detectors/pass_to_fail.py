"""Tests on the dataset, or on what feeds it, that passed now fail.

Fires when: the last result of such a test before the alert is a failure and the runs before it passed. It weighs more
when the code of the tested models changed with it.
Abstains when: a test has no earlier result to compare with.
Looks like it but is not: a test that has always failed, one that fails every few runs, one on a model downstream,
one of the very thing that the alert reports (rows, lateness, columns, shares).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind
from rca.detection import Answer, Detector, Signal
from rca.evidence import PassToFailEvidence, SignalCode, Transition
from rca.subject import echoes
from rca.view import CaseView
from rca.view.dbt import DbtView, NodeHistory, NodeStep, code_changed, table_name
from rca.view.wording import counted, minute

TURNED: Final = 2.0  # ln units; a test that always passed now fails
EACH_PASS: Final = 0.3  # ln units for every earlier pass beyond the first
MOST_PASSES: Final = 1.2  # ln units
ECHO: Final = 0.4  # ln units instead of these; it looks at what the alert itself reports
FLAKY: Final = -2.5  # ln units; it has failed and recovered before
NEW_CODE: Final = 2.5  # ln units; what it tests is built by new code
SAME_CODE: Final = -0.5  # ln units; it is not: look upstream first (runbook, step 3)
BLOCKS: Final = 0.5  # ln units; the dataset itself was skipped in the same run


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A test that turned: its last pass and the first of the failures that still last.

    ``runs`` were before that failure, and ``earlier`` of them failed, too.
    """

    history: NodeHistory
    passed: NodeStep
    failed: NodeStep
    runs: int
    earlier: int
    weight: float
    changed: bool | None


class CodeHistory:
    """Whether the code of the dataset's line changed between two instants; each question is answered once."""

    def __init__(self, *, models: tuple[NodeHistory, ...]) -> None:
        self._models = models
        self._answers: dict[tuple[datetime, datetime], bool | None] = {}

    def changed(self, since: datetime, until: datetime) -> bool | None:
        """Return whether any model's code differs between *since* and *until*; None when nobody knows."""
        if (since, until) not in self._answers:
            found = [self._changed(model, since, until) for model in self._models]
            known = [answer for answer in found if answer is not None]
            self._answers[since, until] = any(known) if known else None
        return self._answers[since, until]

    @staticmethod
    def _changed(model: NodeHistory, since: datetime, until: datetime) -> bool | None:
        before, after = model.until(since), model.until(until)
        return code_changed(after[-1], before[-1]) if before and after else None


def detect(view: CaseView) -> Answer:
    """Return the tests that turned from pass to fail, or None when none did."""
    dbt = view.dbt
    if dbt is None:
        return None
    code = CodeHistory(models=dbt.models)
    turns = [turn for h in dbt.tests if (turn := _turn(view, dbt, code, h)) is not None]
    if not turns:
        return None
    # the order of a run's results says nothing: of two equal turns always the same one is named
    turns.sort(key=lambda t: t.history.unique_id)
    best = max(turns, key=lambda t: (t.weight, t.failed.at))
    shown = sorted((t for t in turns if t.weight > 0.0 or t is best), key=lambda t: -t.weight)
    return _signal(best, shown)


def _turn(view: CaseView, dbt: DbtView, code: CodeHistory, history: NodeHistory) -> Turn | None:
    steps = [s for s in history.until(view.anomaly.detected_at) if not s.skipped]
    if not steps or not steps[-1].failed:
        return None
    first = len(steps) - 1
    while first > 0 and steps[first - 1].failed:
        first -= 1
    if first == 0:
        return None
    passed, failed = steps[first - 1], steps[first]
    earlier = sum(s.failed for s in steps[:first])
    changed = _known(view, changed=code.changed(passed.at, failed.at))
    weight = _turned(view, history, first) + (FLAKY if earlier else 0.0)
    weight += _code_weight(changed=changed)
    weight += BLOCKS if _dataset_skipped(view, dbt, failed.at) else 0.0
    return Turn(
        history=history,
        passed=passed,
        failed=failed,
        runs=first,
        earlier=earlier,
        weight=weight,
        changed=changed,
    )


def _turned(view: CaseView, history: NodeHistory, passes: int) -> float:
    """Return what a failure after so many passes says; that rows are many or late says nothing for the second time."""
    tables = [table_name(node) for node in view.lineage.tested_by(history.unique_id)]
    if echoes(history.unique_id, view.anomaly, tables):
        return ECHO
    return TURNED + min(MOST_PASSES, EACH_PASS * (passes - 1))


def _known(view: CaseView, *, changed: bool | None) -> bool | None:
    """Return *changed*, but for a no that speaks of the dataset alone, because nobody knows what it is built from."""
    return changed if changed or view.lineage.known else None


def _code_weight(*, changed: bool | None) -> float:
    """Return what the code's history says for a regression and against a consequence of other data.

    Code that nobody could compare counts as unchanged: a hole must not make us surer.
    """
    return NEW_CODE if changed else SAME_CODE


def _dataset_skipped(view: CaseView, dbt: DbtView, instant: datetime) -> bool:
    own = next((m for m in dbt.models if m.depth == 0), None)
    return own is not None and any(
        s.skipped for s in own.steps if instant <= s.at <= view.anomaly.detected_at
    )


def _signal(best: Turn, shown: list[Turn]) -> Signal:
    evidence = PassToFailEvidence(
        transitions=tuple(
            Transition.model_validate(
                {
                    "unique_id": t.history.unique_id,
                    "from": t.passed.result.status,
                    "to": t.failed.result.status,
                }
            )
            for t in shown
        ),
        dbt_generated_at=best.failed.at,
        code_changed=best.changed,
    )
    code = {
        True: "after a code change",
        False: "without a code change",
        None: "and the code's history is not known",
    }[best.changed]
    by = minute(best.failed.at)
    more = f" and {len(shown) - 1:,} more" if len(shown) > 1 else ""
    who = "the first" if more else "it"
    failed = f"{who} failed in {best.earlier or 'none'}"
    because = (
        f"{counted(len(shown), 'test')} turned from pass to fail by {by}, {code}: {best.history.unique_id}{more}; "
        f"{failed} of {counted(best.runs, 'run')} before."
    )
    return Signal(
        evidence=evidence,
        strength=strength_of(best.weight),
        because=because,
        onset=best.passed.at,
        seen_at=best.failed.at,
        specific=_code_weight(changed=best.changed),
    )


DETECTOR: Final = Detector(code=SignalCode.PASS_TO_FAIL, reads=(FactKind.DBT_RUNS,), detect=detect)
