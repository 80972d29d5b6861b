"""Pages as text become a runbook, or all that is wrong with them at once. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from rca.evidence import CAUSE_OF, Cause, SignalCode
from runbook.conditions import Condition, ConditionError, Yields, compile_condition
from runbook.facts import INCIDENT_WORLD, world_of
from runbook.front_matter import (
    MATRIX,
    NO_SIGNAL,
    ROLES,
    TOP_PAGE,
    CauseFront,
    IncidentRuleFront,
    MatrixFront,
    NoSignalFront,
    QuickReferenceFront,
    RowFront,
    RuleFront,
    StepFront,
)
from runbook.matrix import Matrix, Row
from runbook.page import Page, QuickReference, Rule, Runbook, Step
from runbook.placeholders import placeholder_problems
from runbook.problem import Problem, RunbookError

FENCE: Final = "---"
MAX_PAGE_CHARS: Final = 200_000  # ours: a page is for reading; it also bounds what YAML may unfold

Front = TypeVar("Front", bound=BaseModel)


class _OneOfEach(yaml.SafeLoader):
    """YAML in which a key given twice, or an alias, is an error instead of a surprise."""

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - PyYAML is untyped here
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not used here")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ANN401, FBT001, FBT002 - PyYAML's signature
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.YAMLError(f"given twice: {', '.join(twice)}")
        return super().construct_mapping(node, deep=deep)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What has been read so far, and every problem on the way."""

    teams: frozenset[str] | None  # None: nobody to ask
    problems: list[Problem] = field(default_factory=list)
    claimed: dict[str, str] = field(default_factory=dict)  # cause -> file
    rule_files: dict[str, str] = field(default_factory=dict)  # rule id -> file
    pages: dict[Cause, Page] = field(default_factory=dict)
    no_signal: Page | None = None
    matrix: Matrix | None = None
    queries: tuple[Step, ...] = ()
    overview: str = ""

    def wrong(self, file: str, key: str, message: str) -> None:
        self.problems.append(Problem(file=file, key=key, message=message))

    def team(self, file: str, key: str, team: str | None) -> None:
        """Note a team that the directory does not have."""
        if team is None or self.teams is None or team in self.teams or team in ROLES:
            return
        self.wrong(file, key, f"{team} is not a team of the directory")


def parse_runbook(texts: Mapping[str, str], teams: Collection[str] | None = None) -> Runbook:
    """Return the runbook that *texts* (file name to content) make up.

    A file without front matter is for people only and is left alone.
    With *teams*, every team that the pages name must be one of them, or a role.

    Raises:
        RunbookError: naming every problem, each with its file and key.
    """
    reading = _Reading(teams=None if teams is None else frozenset(teams))
    for file in sorted(texts):
        _read_file(file, texts[file], reading)
    for cause in (*Cause, NO_SIGNAL, MATRIX):
        if cause not in reading.claimed:
            reading.wrong("folder", "", f"has no page with cause: {cause}")
    if reading.problems or reading.no_signal is None or reading.matrix is None:
        raise RunbookError(reading.problems)
    return Runbook(
        pages=reading.pages,
        no_signal=reading.no_signal,
        matrix=reading.matrix,
        queries=reading.queries,
        overview=reading.overview,
    )


def split_page(text: str) -> tuple[str, str] | None:
    """Return a page's front matter and body, or None when it has no front matter.

    Raises:
        ValueError: the front matter is opened and never closed.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != FENCE:
        return None
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]).strip()
    raise ValueError(f"front matter is opened by {FENCE} and never closed")


def _read_file(file: str, text: str, reading: _Reading) -> None:
    try:
        front, body = _front_and_body(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reading.wrong(file, "", " ".join(str(error).split()) or type(error).__name__)
        reading.claimed.setdefault(file.removesuffix(".md"), file)
        return
    if front is None:
        return
    cause = str(front.get("cause"))
    if cause in reading.claimed:
        reading.wrong(file, "cause", f"{cause} has a page already: {reading.claimed[cause]}")
        return
    reading.claimed[cause] = file
    match cause:
        case "matrix":
            _read_matrix(file, front, body, reading)
        case "no_signal":
            _read_no_signal(file, front, body, reading)
        case _:
            _read_cause(file, front, body, reading)


def _front_and_body(text: str) -> tuple[Mapping[str, Any] | None, str]:
    if len(text) > MAX_PAGE_CHARS:
        raise ValueError(f"longer than {MAX_PAGE_CHARS} characters")
    parts = split_page(text)
    if parts is None:
        return None, text
    front = yaml.load(parts[0], Loader=_OneOfEach)  # noqa: S506 - a SafeLoader, made stricter
    if not isinstance(front, dict):
        raise ValueError("front matter must be keys with values")  # noqa: TRY004 - a fault of the text, not of a type
    return front, parts[1]


def _read_cause(file: str, front: Mapping[str, Any], body: str, reading: _Reading) -> None:
    page = _validated(CauseFront, file, front, reading)
    if page is None:
        return
    for at, rule in enumerate(page.escalations):
        for code in rule.signals:
            if CAUSE_OF[code] is not page.cause:
                where = f"escalations[{at}].signals"
                reading.wrong(file, where, f"{code} is not a signal of {page.cause}")
    reading.pages[page.cause] = Page(
        file=file,
        cause=page.cause,
        title=page.title,
        quick_reference=_quick_reference(file, page.quick_reference, reading),
        steps=_steps(file, "steps", page.steps, reading),
        rules=_rules(file, page.escalations, reading),
        body=body,
    )


def _read_no_signal(file: str, front: Mapping[str, Any], body: str, reading: _Reading) -> None:
    page = _validated(NoSignalFront, file, front, reading)
    if page is None:
        return
    reading.no_signal = Page(
        file=file,
        cause=None,
        title=page.title,
        quick_reference=_quick_reference(file, page.quick_reference, reading),
        steps=_steps(file, "steps", page.steps, reading),
        rules=_rules(file, page.escalations, reading),
        body=body,
    )


def _read_matrix(file: str, front: Mapping[str, Any], body: str, reading: _Reading) -> None:
    matrix = _validated(MatrixFront, file, front, reading)
    if matrix is None:
        return
    for at, row in enumerate(matrix.bands):
        named = None if row.escalate_to == TOP_PAGE else row.escalate_to
        reading.team(file, f"bands[{at}].escalate_to", named)
    reading.matrix = Matrix(rows=tuple(_row(row) for row in matrix.bands))
    reading.queries = _steps(file, "queries", matrix.queries, reading)
    reading.overview = body


def _validated(
    model: type[Front], file: str, front: Mapping[str, Any], reading: _Reading
) -> Front | None:
    try:
        return model.model_validate(front)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            reading.wrong(file, _key(problem["loc"]), problem["msg"].removeprefix("Value error, "))
    return None


def _key(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _quick_reference(file: str, front: QuickReferenceFront, reading: _Reading) -> QuickReference:
    for at, team in enumerate(front.teams):
        reading.team(file, f"quick_reference.teams[{at}]", team)
    return QuickReference(
        floor=front.floor,
        confidence_label=front.confidence_label,
        first_action=front.first_action,
        teams=front.teams,
    )


def _row(front: RowFront) -> Row:
    return Row(
        band=front.band,
        response=front.response,
        escalate_after=front.escalate_after,
        escalate_to=None if front.escalate_to == TOP_PAGE else front.escalate_to,
        hypotheses=front.hypotheses,
        manual_review=front.manual_review,
    )


def _steps(
    file: str, key: str, fronts: tuple[StepFront, ...], reading: _Reading
) -> tuple[Step, ...]:
    for at, front in enumerate(fronts):
        for problem in placeholder_problems(front.command or "", (INCIDENT_WORLD,)):
            reading.wrong(file, f"{key}[{at}].command", problem)
    return tuple(
        Step(
            title=front.title if front.text is None else f"{front.title}: {front.text}",
            sql=None if front.sql is None else front.sql.strip(),
            command=None if front.command is None else front.command.strip(),
            changes_things=front.changes_things,
        )
        for front in fronts
    )


def _rules(file: str, fronts: tuple[IncidentRuleFront, ...], reading: _Reading) -> tuple[Rule, ...]:
    rules = []
    for at, front in enumerate(fronts):
        owner = reading.rule_files.setdefault(front.id, file)
        if owner != file or any(front.id == other.id for other in fronts[:at]):
            reading.wrong(file, f"escalations[{at}].id", f"{front.id} is used already in {owner}")
        rule = _rule(file, f"escalations[{at}]", front, reading)
        if rule is not None:
            rules.append(rule)
    return tuple(rules)


def _rule(file: str, key: str, front: IncidentRuleFront, reading: _Reading) -> Rule | None:
    signals: tuple[SignalCode, ...] = front.signals if isinstance(front, RuleFront) else ()
    worlds = tuple(world_of(code) for code in signals) or (INCIDENT_WORLD,)

    def compiled(name: str, source: str | None, yields: Yields) -> Condition | None:
        try:
            return None if source is None else compile_condition(source, worlds, yields)
        except ConditionError as error:
            for problem in error.problems:
                reading.wrong(file, f"{key}.{name}", problem)
        return None

    when = compiled("when", front.when, Yields.YES_OR_NO)
    since = compiled("since", front.since, Yields.INSTANT)
    person = compiled("person", front.person, Yields.TEXT)
    for problem in placeholder_problems(front.reason, worlds):
        reading.wrong(file, f"{key}.reason", problem)
    reading.team(file, f"{key}.team", front.team)
    reading.team(file, f"{key}.otherwise", front.otherwise)
    if when is None:
        return None
    return Rule(
        rule_id=front.id,
        signals=signals,
        when=when,
        since=since,
        after=front.after,
        team=front.team,
        otherwise=front.otherwise,
        person=person,
        urgency=front.urgency,
        reason=front.reason,
    )
