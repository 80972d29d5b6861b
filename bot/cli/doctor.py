"""``rca-bot doctor``: tries everything live and prints what to fix, in order."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from bot.cli.verb import Verb
from bot.clock import system_clock
from bot.doctor.examination import Report, examine
from bot.ports import Checked
from bot.settings import Settings, SettingsError, SlackMode

SICK: Final = 1  # exit status when there is something to fix


def _declare(parser: argparse.ArgumentParser) -> None:
    del parser


def _run(arguments: argparse.Namespace) -> int:
    del arguments
    settings, problems = _settings()
    report = asyncio.run(examine(settings, system_clock, problems, _say))
    _sum_up(report)
    return SICK if report.to_fix else 0


def _settings() -> tuple[Settings, tuple[Checked, ...]]:
    """The settings as serve would read them; when it would refuse, as far as they go, with the reasons."""
    try:
        return Settings.from_env(os.environ), ()
    except SettingsError as error:
        fix = "correct the environment or the directory; docs/settings.md lists every setting"
        found = tuple(
            Checked(what="every setting can be read", problem=one, fix=fix)
            for one in error.problems
        )
        return _as_far_as_they_go(), found


def _as_far_as_they_go() -> Settings:
    """A pager's missing secret keeps nobody from trying Slack; where a value itself is wrong, nothing is known."""
    try:
        settings = Settings.for_tools(os.environ)
        mode = SlackMode(os.environ.get("SLACK_MODE") or SlackMode.SOCKET)
    except (SettingsError, ValueError):
        return Settings.for_tools({})
    return settings.model_copy(update={"slack_mode": mode})


def _say(title: str, lines: Sequence[Checked]) -> None:
    print(title)
    for line in lines:
        if line.problem is None:
            print(f"  ok       {line.what}")
        else:
            print(f"  PROBLEM  {line.what}: {line.problem}")


def _sum_up(report: Report) -> None:
    if not report.to_fix:
        print("\nNothing to fix.")
        return
    print("\nTo fix, in this order:")
    together = groupby(report.to_fix, key=lambda line: line.fix)
    for number, (fix, lines) in enumerate(together, 1):
        problems = [str(line.problem) for line in lines]
        print(f"{number:3}. {problems[0]}")
        for problem in problems[1:]:
            print(f"     {problem}")
        if fix:
            print(f"     -> {fix}")


VERB: Final = Verb(
    name="doctor",
    help="try Slack, pagers, sources and the catalog live, and say what to fix in order",
    declare=_declare,
    run=_run,
)
