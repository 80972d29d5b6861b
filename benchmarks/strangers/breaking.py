"""What can really go wrong in dbt: a model that fails, one that takes too long, tests that turn."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from benchmarks.strangers.faults import MISSED, Fault, blame
from benchmarks.strangers.place import happens
from benchmarks.strangers.story import Deploy, NodeTrouble, Story
from benchmarks.strangers.words import MODEL_ERRORS, PEOPLE

COMPARED: Final = 4  # runs before a model became slow


def model_breaks(*, upstream: bool) -> Fault:
    """Return the fault of a model that fails: the dataset's own or one it reads."""

    def inject(story: Story, strength: str) -> None:
        chain, node = story.place.models.chain, story.place.models.node or ""
        at = chain.index(node)
        broken = story.draw.choice(chain[1:at]) if upstream and at > 1 else node
        if broken == chain[0]:
            broken = chain[1]
        per_window = story.place.window / story.place.run_every
        first = story.lag - min(
            max(1, math.ceil(story.draw.uniform(*MISSED[strength]) * per_window)),
            max(1, story.place.runs - 2),
        )
        story.nodes.append(
            NodeTrouble(first=first, last=0, node=broken, message=story.draw.choice(MODEL_ERRORS))
        )
        if happens(story.draw, 0.5):
            story.deploys.append(
                Deploy(first=first, by=story.draw.choice(PEOPLE), changed=(broken,))
            )
            story.tags.append("code_changed")
        story.anomaly_type = story.draw.choice(
            ("freshness_anomaly", "volume_anomaly", "quality_check_failure")
        )
        blame(story, "transformation_regression", "dbt_model_failure")

    return inject


def model_slow(story: Story, strength: str) -> None:
    """A model in the dataset's way takes many times as long as ever."""
    chain, node = story.place.models.chain, story.place.models.node or ""
    ratio = {
        "weak": story.draw.uniform(4, 6),
        "medium": story.draw.uniform(6, 12),
        "strong": story.draw.uniform(12, 40),
    }[strength]
    slow = story.draw.choice(chain[1 : chain.index(node) + 1])
    story.base[slow] = min(
        story.place.window.total_seconds() * 0.05 / ratio, story.draw.uniform(20, 900)
    )
    first = story.draw.choice((0, 0, -1))
    story.place = replace(story.place, runs=max(story.place.runs, COMPARED - first))
    story.nodes.append(NodeTrouble(first=first, last=0, node=slow, status="success", slower=ratio))
    if happens(story.draw, 0.5):
        story.deploys.append(Deploy(first=first, by=story.draw.choice(PEOPLE), changed=(slow,)))
    story.anomaly_type = story.draw.choice(("freshness_anomaly", "freshness_anomaly", "other"))
    blame(story, "transformation_regression", "execution_time_regression")


def tests_turn(*, deployed: bool) -> Fault:
    """Return the fault of tests that passed and now fail, with or without new code."""

    def inject(story: Story, strength: str) -> None:
        models = story.place.models
        node = models.node or ""
        tests = models.tests[node]
        count = {"weak": 1, "medium": 2, "strong": 3}[strength]
        doubled = deployed and ".unique_" in tests[0]
        first = story.first_run if doubled else 0
        story.place = replace(story.place, runs=max(story.place.runs, 2 - first))
        for test in tests[:count]:
            text = f"Got {story.draw.randint(3, 90000)} results, configured to fail if != 0"
            story.nodes.append(
                NodeTrouble(first=first, last=0, node=test, status="fail", message=text)
            )
        if deployed:
            story.deploys.append(Deploy(first=first, by=story.draw.choice(PEOPLE), changed=(node,)))
            story.tags.append("code_changed")
        if doubled:
            story.copies = story.draw.uniform(1.3, 2.5)
            story.tags.append("duplicates")
        story.anomaly_type = (
            "volume_anomaly"
            if story.copies > 1 and happens(story.draw, 0.5)
            else "quality_check_failure"
        )
        blame(story, "transformation_regression", "pass_to_fail")

    return inject
