"""A diagnosis on a terminal: everything said, nothing from data run as markup or control code."""

from __future__ import annotations

import io

from hypothesis import HealthCheck, Phase, given, settings
from rich.console import Console

from bot.render import blind
from bot.render.terminal import print_diagnosis
from rca.diagnosis import Diagnosis
from tests.bot.render.strategies import diagnoses
from tests.golden.scenes import ACT, DRIFT, HOLE, NO_SIGNAL, NOBODY_LOOKED, diagnosis, hypothesis


def printed(shown: Diagnosis, *, color: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=200, force_terminal=color, color_system="standard" if color else None
    )
    print_diagnosis(shown, console)
    return out.getvalue()


def test_the_verdict_the_evidence_and_the_steps_are_printed() -> None:
    """A reader at a terminal learns the same as one in Slack."""
    shown = printed(ACT)
    for expected in (
        "Ingestion failure, 93 % sure",
        "consecutive_failures",
        "a symptom of ingestion failure",
        "What to do: Act on the top hypothesis immediately.",
        "2. Run the failed model again (changes things)",
        "dbt run --select model_name",
        "Top movers (2)",
    ):
        assert expected in shown


def test_no_signal_and_no_look_are_printed_apart() -> None:
    """What found nothing and what could not look have their own lines, or none."""
    assert "Looked and found nothing: sync_failure" in printed(NO_SIGNAL)
    assert "Could not be checked" not in printed(NO_SIGNAL)
    assert "Could not be checked:" in printed(HOLE)
    assert "Looked and found nothing" not in printed(NOBODY_LOOKED)
    assert blind.looked_and_found_nothing(NOBODY_LOOKED) == ()


def test_data_is_not_rich_markup() -> None:
    """Square brackets and escape codes in data are printed as characters."""
    evil = DRIFT.model_copy(update={"dimension": "[red]x[/red] \x1b[31m"})
    shown = printed(
        diagnosis(hypothesis(1, 0.9, evil, "[bold]b[/bold] \x1b]0;title\x07")), color=False
    )
    assert "[red]x[/red]" in shown
    assert "[bold]b[/bold]" in shown
    assert "\x1b" not in shown
    assert "\x1b" in printed(ACT, color=True)


@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # shrinking texts of 100,000 characters takes minutes
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(diagnoses())
def test_any_diagnosis_can_be_printed(shown: Diagnosis) -> None:
    """Whatever a diagnosis holds, printing it raises nothing and emits no control code."""
    assert "\x1b" not in printed(shown)
