"""The runbook as the bot obeys it: pages, steps, rules and the matrix, checked and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from rca.diagnosis import Urgency
from rca.evidence import Cause, SignalCode
from runbook.conditions import Condition
from runbook.matrix import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do: a query to run (bound parameters ``:name``), a command to copy, or a sentence."""

    title: str
    sql: str | None = None
    command: str | None = None
    changes_things: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickReference:
    """A page's row of the Quick Reference; above ``floor`` the card names the team at once (None: never)."""

    floor: float | None
    confidence_label: str
    first_action: str
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When to escalate to whom.

    ``signals`` is empty for a rule about the whole incident. The escalation is due ``after`` the instant that
    ``since`` gives, or at once without them. ``person`` gives who is meant by a role; where that is not known,
    ``otherwise`` is the team.
    """

    rule_id: str
    signals: tuple[SignalCode, ...]
    when: Condition
    since: Condition | None
    after: timedelta | None
    team: str
    otherwise: str | None
    person: Condition | None
    urgency: Urgency
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What to do about one cause, or (``cause`` None) when no signal shows; ``body`` is what people read."""

    file: str
    cause: Cause | None
    title: str
    quick_reference: QuickReference
    steps: tuple[Step, ...]
    rules: tuple[Rule, ...]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """All pages. ``queries`` are the steps that are useful whatever the cause; ``overview`` is the matrix's text."""

    pages: Mapping[Cause, Page]
    no_signal: Page
    matrix: Matrix
    queries: tuple[Step, ...]
    overview: str

    def page(self, cause: Cause | None) -> Page:
        """Return the page for *cause*, or the one for no signal."""
        return self.no_signal if cause is None else self.pages[cause]

    def teams(self) -> frozenset[str]:
        """Return every team and role that the pages name."""
        pages = (*self.pages.values(), self.no_signal)
        named = {team for page in pages for team in page.quick_reference.teams}
        named |= {rule.team for page in pages for rule in page.rules}
        named |= {rule.otherwise for page in pages for rule in page.rules if rule.otherwise}
        return frozenset(named | {row.escalate_to for row in self.matrix.rows if row.escalate_to})
