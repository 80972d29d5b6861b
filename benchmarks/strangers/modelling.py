"""What dbt did in each run: which nodes, how long, what failed and what was skipped because of it."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta
from typing import Final

from benchmarks.strangers.place import happens
from benchmarks.strangers.story import Deploy, Facts, NodeTrouble, Story
from benchmarks.strangers.words import PEOPLE

PARTIAL_SHARE: Final = 0.12
TESTS_ONLY_SHARE: Final = 0.06


def runs(story: Story) -> list[Facts]:
    """Return the dbt runs, oldest first."""
    if story.place.models.source is None:
        return []
    most = story.place.window.total_seconds() * 0.004
    base = {
        node: min(math.exp(story.draw.gauss(2.0, 1.1)), most) for node in story.place.models.tests
    } | story.base
    partial = happens(story.draw, 0.4)  # places that also run a part now and then
    return [_run(story, index, base, partial=partial) for index in range(1 - story.place.runs, 1)]


def built_at(story: Story, made: list[Facts]) -> list[datetime] | None:
    """Return when the dataset took in what its parents held, oldest first; None for what the connector writes."""
    node = story.place.models.node
    if node is None or not node.startswith("model."):
        return None
    forgotten = -math.ceil(
        (story.end - story.edge(1 - story.place.windows)) / story.place.run_every
    )
    before = [story.run_at(index) for index in range(forgotten - 2, 1 - story.place.runs)]
    good = [
        run["began"]
        for run in made
        if any(r["unique_id"] == node and r["status"] == "success" for r in run["results"])
    ]
    return before + good


def _run(story: Story, index: int, base: dict[str, float], *, partial: bool) -> Facts:
    command, kept = _selection(story, index, partial=partial)
    results: list[Facts] = []
    bad: set[str] = set()
    for node in _ordered(story):
        if node not in kept:
            continue
        if node.startswith("model.") and command != "test":
            result = _node(story, index, node, base[node], bad)
            results.append(result)
        results.extend(
            _test(story, index, node, test, bad) for test in story.place.models.tests[node]
        )
    began, most = story.run_at(index), story.place.window.total_seconds() * 0.06
    lasted = max([r["execution_time_s"] or 0.0 for r in results], default=1.0)
    deploy = max(
        (d for d in story.deploys if d.first <= index), key=lambda d: d.first, default=None
    )
    run: Facts = {
        "invocation_id": f"{story.draw.getrandbits(64):016x}", "began": began,
        "dbt_generated_at": min(began + timedelta(seconds=min(lasted * 1.3, most)), story.detected_at),
        "command": command, "results": results,
    }  # fmt: skip
    return run | _origin(story, deploy)


def _origin(story: Story, deploy: Deploy | None) -> Facts:
    first = story.run_at(-story.place.runs - 20)
    by = deploy.by if deploy is not None else PEOPLE[len(story.case_id) % len(PEOPLE)]
    at = story.run_at(deploy.first) - story.place.run_every * 0.4 if deploy is not None else first
    stamp = f"{story.case_id}{deploy.first if deploy is not None else 'before'}"
    return {
        "git_sha": hashlib.sha256(stamp.encode()).hexdigest()[:12],
        "deployed_by": f"{by}@{story.place.tenant}.example",
        "deployed_at": at,
    }


def _ordered(story: Story) -> list[str]:
    chain = story.place.models.chain
    others = [n for n in story.place.models.tests if n not in chain]
    return [chain[0], *[n for n in others if n in story.place.models.parents[chain[-1]]], *chain[1:],
            *[n for n in others if n not in story.place.models.parents[chain[-1]]]]  # fmt: skip


def _selection(story: Story, index: int, *, partial: bool) -> tuple[str, set[str]]:
    everything = set(story.place.models.tests)
    troubled = any(t.first <= index <= t.last or t.first == index + 1 for t in story.nodes)
    if not partial or index >= story.first_run - 1 or troubled:
        return "build", everything
    chance = story.draw.random()
    if chance < TESTS_ONLY_SHARE:
        return "test", everything
    if chance < TESTS_ONLY_SHARE + PARTIAL_SHARE:
        return "build", set(story.draw.sample(sorted(everything), max(1, len(everything) // 2)))
    return "build", everything


def _trouble(story: Story, index: int, node: str) -> NodeTrouble | None:
    return next((t for t in story.nodes if t.node == node and t.first <= index <= t.last), None)


def _checksum(story: Story, index: int, node: str) -> str:
    version = sum(node in d.changed for d in story.deploys if d.first <= index)
    return (
        "sha256:"
        + hashlib.sha256(f"{node}{version}{story.place.connector_id}".encode()).hexdigest()[:16]
    )


def _node(story: Story, index: int, node: str, base: float, bad: set[str]) -> Facts:
    result: Facts = {
        "unique_id": node,
        "resource_type": "model",
        "checksum": _checksum(story, index, node),
    }
    if any(parent in bad for parent in story.place.models.parents.get(node, ())):
        bad.add(node)
        return result | {
            "status": "skipped",
            "message": "Skipping due to upstream failure",
            "execution_time_s": 0.0,
        }
    trouble = _trouble(story, index, node)
    lasts = round(
        base * math.exp(story.draw.gauss(0.0, 0.15)) * (trouble.slower if trouble else 1.0), 2
    )
    if trouble is not None and trouble.status == "error":
        bad.add(node)
        text = (trouble.message or "").format(model=node.rsplit(".", 1)[-1])
        return result | {"status": "error", "message": text, "execution_time_s": min(lasts, 3.0)}
    return result | {"status": "success", "message": "SUCCESS 1", "execution_time_s": lasts}


def _test(story: Story, index: int, node: str, test: str, bad: set[str]) -> Facts:
    result: Facts = {
        "unique_id": test,
        "resource_type": "test",
        "execution_time_s": round(story.draw.uniform(0.2, 3.0), 2),
    }
    if node in bad:
        return result | {"status": "skipped", "execution_time_s": 0.0}
    trouble = _trouble(story, index, test)
    if trouble is not None:
        return result | {"status": trouble.status, "message": trouble.message}
    return result | {"status": "pass"}
