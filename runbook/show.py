"""The runbook in force as text: what the bot obeys, followed by what people read."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from rca.evidence import Cause
from runbook.front_matter import NO_SIGNAL
from runbook.matrix import Row
from runbook.page import Page, Rule, Runbook, Step
from runbook.problem import Problem, RunbookError

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))  # seconds


def show(book: Runbook, topic: str | None = None) -> str:
    """Return one page as Markdown, or without *topic* the overview.

    Args:
        book: the runbook in force.
        topic: a cause, or ``no_signal``.

    Raises:
        RunbookError: there is no page of that name; the text names those there are.
    """
    if topic is None:
        return _overview(book)
    if topic == NO_SIGNAL:
        return _page(book.no_signal)
    if topic not in list(Cause):
        known = ", ".join([*Cause, NO_SIGNAL])
        message = f"has no page {topic}; there are {known}"
        raise RunbookError([Problem(file="runbook", key="", message=message)])
    return _page(book.page(Cause(topic)))


def _overview(book: Runbook) -> str:
    pages = [*(book.pages[cause] for cause in Cause), book.no_signal]
    rows = [_reference(page) for page in pages]
    bands = [_band(book.matrix.row(row.band)) for row in book.matrix.rows]
    return "\n".join(
        [
            "# Runbook in force",
            "",
            "| Page | Names the team above | Confidence | First action | Teams |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "| Band | Response | Escalation |",
            "|---|---|---|",
            *bands,
            "",
            "## Queries",
            "",
            *(_step(number, step) for number, step in enumerate(book.queries, start=1)),
            "",
            book.overview,
            "",
        ]
    )


def _reference(page: Page) -> str:
    reference = page.quick_reference
    floor = "--" if reference.floor is None else f"{reference.floor:g}"
    name = page.cause or NO_SIGNAL
    teams = ", ".join(reference.teams)
    return (
        f"| {name} | {floor} | {reference.confidence_label} | {reference.first_action} | {teams} |"
    )


def _band(row: Row) -> str:
    to = row.escalate_to or "the first team of the top page"
    if row.escalate_after is None:
        when = f"only if action fails: {to}"
    elif row.escalate_after == timedelta(0):
        when = f"at once: {to}"
    else:
        when = f"after {span(row.escalate_after)}: {to}"
    return f"| {row.band} | {row.response} | {when} |"


def span(value: timedelta) -> str:
    """Return a span as the pages write it: ``1h30m``; ``0`` when there is none."""
    rest = int(value.total_seconds())
    text = ""
    for seconds, unit in _UNITS:
        count, rest = divmod(rest, seconds)
        text += f"{count}{unit}" if count else ""
    return text or "0"


def _page(page: Page) -> str:
    reference = page.quick_reference
    return "\n".join(
        [
            f"# {page.title} ({page.file})",
            "",
            f"First action: {reference.first_action}",
            f"Teams: {', '.join(reference.teams)}",
            "",
            "## Steps",
            "",
            *(_step(number, step) for number, step in enumerate(page.steps, start=1)),
            "",
            "## Escalation rules",
            "",
            *(_rule(rule) for rule in page.rules),
            "",
            page.body,
            "",
        ]
    )


def _step(number: int, step: Step) -> str:
    warning = " (changes things)" if step.changes_things else ""
    block = step.sql or step.command
    if block is None:
        return f"{number}. {step.title}"
    language = "sql" if step.sql else "bash"
    lines = [f"```{language}", *block.splitlines(), "```"]
    return "\n".join(
        [f"{number}. {step.title}{warning}", "", *(f"   {line}" for line in lines), ""]
    )


def _rule(rule: Rule) -> str:
    on = ", ".join(rule.signals) or "every incident"
    due = ""
    if rule.since is not None and rule.after is not None:
        due = f", {span(rule.after)} after `{rule.since.source}`"
    to = f"{rule.team} ({rule.urgency}{due})"
    return f"- `{rule.rule_id}` on {on}: when `{rule.when.source}` then {to}: {rule.reason}"
