"""A diagnosis in colour, for ``rca-bot diagnose``; data is never read as markup or as control codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text as Words

from bot.render import blind, evidence
from bot.render.message import Facts, Part, Table
from bot.render.plain import plain_line
from bot.render.queries import filled
from bot.render.tables import aligned, hidden
from bot.render.text import clean, count_of, iso, one_line
from bot.render.words import capital, confidence, kind_of, response, said, sentence
from rca.diagnosis import Band, Diagnosis, Hypothesis

COLOR: Final = {
    Band.ACT: "red",
    Band.INVESTIGATE_TOP: "yellow",
    Band.INVESTIGATE_ALL: "yellow",
    Band.MANUAL: "blue",
}


def print_diagnosis(diagnosis: Diagnosis, console: Console) -> None:
    """Print the verdict, every hypothesis with its evidence, what to do, and what could not be checked."""
    color = COLOR[diagnosis.band]
    console.print(
        Panel(
            _headline(diagnosis),
            border_style=color,
            title=_words(_title(diagnosis)),
            title_align="left",
        )
    )
    for hypothesis in diagnosis.hypotheses:
        _hypothesis(hypothesis, console)
    _guidance(diagnosis, console)
    _coverage(diagnosis, console)


def _title(diagnosis: Diagnosis) -> str:
    return f"{one_line(diagnosis.dataset, 80)}: {kind_of(diagnosis.anomaly_type)}"


def _headline(diagnosis: Diagnosis) -> Words:
    top = diagnosis.top
    if top is None:
        return _words("No signal detected. A person has to look: runbook, step 5.", "bold")
    words = Words.assemble(
        (f"{capital(said(top.cause_type))}, {confidence(top.confidence)} sure", "bold"),
        f"\n{sentence(one_line(top.because, 600))}.",
    )
    if top.first_action:
        words.append(f"\nFirst: {sentence(one_line(top.first_action, 300))}.")
    words.append(
        f"\nDetected {iso(diagnosis.detected_at)}, looked at {iso(diagnosis.as_of)}.", "dim"
    )
    return words


def _hypothesis(hypothesis: Hypothesis, console: Console) -> None:
    symptom = f", a symptom of {said(hypothesis.symptom_of)}" if hypothesis.symptom_of else ""
    cause = capital(said(hypothesis.cause_type))
    name = f"{hypothesis.rank}. {cause}, {confidence(hypothesis.confidence)} sure{symptom}"
    console.print()
    console.print(_words(name, "dim" if hypothesis.symptom_of else "bold"))
    for reading in hypothesis.signals:
        console.print(
            Padding(
                _words(f"signal {reading.signal}, strength {reading.strength:.2f}"), (0, 0, 0, 2)
            )
        )
        _evidence(evidence.parts(reading.evidence), console)


def _evidence(parts: Iterable[Part], console: Console) -> None:
    for part in parts:
        if isinstance(part, Facts):
            grid = Grid.grid(padding=(0, 2))
            for fact in part.items:
                grid.add_row(_words(fact.label, "cyan"), _words(plain_line(fact.value)))
            console.print(Padding(grid, (0, 0, 0, 4)))
        elif isinstance(part, Table):
            more = f"\n… and {count_of(hidden(part), 'more row')}" if hidden(part) else ""
            table = f"{part.caption}\n{clean(aligned(part))}{more}"
            console.print(Padding(_words(table), (0, 0, 0, 4)), no_wrap=True, overflow="ellipsis")


def _guidance(diagnosis: Diagnosis, console: Console) -> None:
    guidance = diagnosis.guidance
    if guidance is None:
        return
    console.print()
    console.print(_words(f"What to do: {response(diagnosis)}.", "bold"))
    for n, step in enumerate(guidance.steps, start=1):
        changes = " (changes things)" if step.changes_things else ""
        console.print(Padding(_words(f"{n}. {one_line(step.title, 300)}{changes}"), (0, 0, 0, 2)))
        code = filled(step.sql, diagnosis) if step.sql else step.command
        if code:
            console.print(Padding(_words(clean(code).rstrip(), "green"), (0, 0, 0, 5)))


def _coverage(diagnosis: Diagnosis, console: Console) -> None:
    quiet = blind.looked_and_found_nothing(diagnosis)
    reasons = blind.could_not_look(diagnosis, most=20)
    console.print()
    if quiet:
        console.print(_words(f"Looked and found nothing: {plain_line(quiet)}", "dim"))
    if reasons:
        console.print(_words("Could not be checked:", "yellow"))
    for reason in reasons:
        console.print(Padding(_words(plain_line(reason), "yellow"), (0, 0, 0, 2)))


def _words(words: str, style: str = "") -> Words:
    return Words(words, style=style)
