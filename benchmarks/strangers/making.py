"""One incident after another: chooses what happens where, and hands out each case with its truth."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np

from benchmarks.strangers.blemishes import BLEMISHES, DECIDES, hole
from benchmarks.strangers.breaking import model_breaks, model_slow, tests_turn
from benchmarks.strangers.bystanders import BYSTANDERS
from benchmarks.strangers.faults import (
    Fault,
    column_gone,
    column_new,
    column_retyped,
    failing_sync,
    long_running,
    missing_sync,
    partial,
)
from benchmarks.strangers.innocent import DECOYS, NEGATIVES
from benchmarks.strangers.place import Place, draw_place, happens
from benchmarks.strangers.shifting import mix, multiply, new_values, segment, vanish
from benchmarks.strangers.story import DAY, Facts, Story, begin
from benchmarks.strangers.telling import as_text, tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One thing that goes wrong: how often, how, and what place it needs."""

    weight: float
    fault: Fault
    needs: str = ""  # raw: a table of the connector; model: a dbt model; dbt: any dataset dbt knows; busy; pair


KINDS: Final[dict[str, Kind]] = {
    "auth": Kind(weight=3, fault=failing_sync("auth_error")),
    "rate_limit": Kind(weight=3, fault=failing_sync("rate_limit")),
    "source_timeout": Kind(weight=2, fault=failing_sync("source_timeout")),
    "destination_timeout": Kind(weight=1, fault=failing_sync("destination_timeout")),
    "schema_stop": Kind(weight=1, fault=failing_sync("schema_change")),
    "platform": Kind(weight=2, fault=failing_sync("platform")),
    "other": Kind(weight=2, fault=failing_sync("other")),
    "nocode": Kind(weight=2, fault=failing_sync(None)),
    "partial_msg": Kind(weight=4, fault=partial(told=True)),
    "partial_nomsg": Kind(weight=3, fault=partial(told=False), needs="busy"),
    "long_running": Kind(weight=5, fault=long_running),
    "missing_sync": Kind(weight=5, fault=missing_sync),
    "col_removed": Kind(weight=5, fault=column_gone(count=1, renamed=False), needs="raw"),
    "col_renamed": Kind(weight=3, fault=column_gone(count=1, renamed=True), needs="raw"),
    "col_multi": Kind(weight=2, fault=column_gone(count=3, renamed=False), needs="raw"),
    "col_type": Kind(weight=5, fault=column_retyped, needs="raw"),
    "col_added": Kind(weight=3, fault=column_new, needs="raw"),
    "model_self": Kind(weight=5, fault=model_breaks(upstream=False), needs="model"),
    "model_upstream": Kind(weight=5, fault=model_breaks(upstream=True), needs="model"),
    "p2f_code": Kind(weight=4, fault=tests_turn(deployed=True), needs="model"),
    "p2f_nocode": Kind(weight=4, fault=tests_turn(deployed=False), needs="model"),
    "exec_time": Kind(weight=4, fault=model_slow, needs="model"),
    "drift_vanish": Kind(weight=4, fault=vanish, needs="busy"),
    "drift_mix": Kind(weight=5, fault=mix, needs="busy"),
    "drift_segment": Kind(weight=3, fault=segment, needs="busy pair"),
    "cardinality": Kind(weight=4, fault=multiply, needs="busy"),
    "new_one": Kind(weight=4, fault=new_values(many=False), needs="busy"),
    "new_multi": Kind(weight=3, fault=new_values(many=True), needs="busy pair"),
}
SECOND: Final = {  # what may happen at the same time without hiding the first
    "drift_mix": "p2f_nocode", "auth": "p2f_nocode", "new_one": "p2f_code", "missing_sync": "model_upstream",
}  # fmt: skip
RARE: Final = {"holiday": 0.25}  # nobody can tell one without a calendar
NEGATIVE_SHARE: Final = 0.17
TWO_SHARE: Final = 0.3  # of the kinds above
SEEN_ROWS: Final = 200  # rows of the newest window; fewer show no shift
HOLE_SHARE: Final = 0.12
DECOY_SHARE: Final = 0.13
UNKNOWN_FACTS: Final = ("ingestion_jobs", "column_snapshots", "dbt_runs", "lineage", "dq_results",
                        "volume_history", "dimension_profiles", "peer_errors")  # fmt: skip


def incidents(seed: int, number: int) -> Iterator[tuple[Facts, Facts]]:
    """Yield *number* cases with the truth of each; the same seed yields the same ones."""
    for k in range(number):
        yield _seen(seed, k)


def _seen(seed: int, k: int) -> tuple[Facts, Facts]:
    """Return incident *k*, drawn again while its shift hides in too few rows for anybody to see."""
    for again in itertools.count():
        draw = Random(f"{seed}/{k}/{again}" if again else f"{seed}/{k}")  # noqa: S311 - a repeatable draw, no secret
        numbers = np.random.default_rng(draw.getrandbits(64))
        case, truth = _incident(f"s{seed}-{k:04d}", draw, numbers)
        if "top_mover" not in truth and "segment" not in truth:
            return case, truth
        newest = max(profile["window_start"] for profile in case["dimension_profiles"])
        profiles = [p for p in case["dimension_profiles"] if p["window_start"] == newest]
        if min(sum(p["counts"].values()) for p in profiles) >= SEEN_ROWS:
            return case, truth
    raise AssertionError  # the count has no end


def _incident(case_id: str, draw: Random, numbers: np.random.Generator) -> tuple[Facts, Facts]:
    if happens(draw, NEGATIVE_SHARE):
        kind = draw.choices(tuple(NEGATIVES), [RARE.get(name, 1.0) for name in NEGATIVES])[0]
        needs = "busy daily" if kind == "holiday" else "busy"
        story = begin(case_id, kind, fitting(draw, needs), draw, numbers)
        NEGATIVES[kind](story)
        story.tags.insert(0, f"negative:{kind}")
    else:
        kind = draw.choices(tuple(KINDS), [one.weight for one in KINDS.values()])[0]
        story = _fault(case_id, kind, draw, numbers)
    surround(story)
    document = tell(story)
    _wear(story, document)
    text: Facts = json.loads(json.dumps(as_text(story, document)))
    return text, _truth(story, text)


def _fault(case_id: str, kind: str, draw: Random, numbers: np.random.Generator) -> Story:
    second = SECOND.get(kind) if happens(draw, TWO_SHARE) else None
    needs = KINDS[kind].needs + (" " + KINDS[second].needs if second else "")
    story = begin(case_id, kind, fitting(draw, needs), draw, numbers)
    strength = draw.choices(("weak", "medium", "strong"), (1, 3, 2))[0]
    KINDS[kind].fault(story, strength)
    story.tags[:0] = [f"kind:{kind}", f"strength:{strength}"]
    story.difficulty = {"weak": "medium", "medium": "easy", "strong": "easy"}[strength]
    if second:
        KINDS[second].fault(story, "strong")
        story.tags.append("two_causes")
        story.symptoms -= set(story.causes)
    return story


def fitting(draw: Random, needs: str) -> Place:
    """Return a place that has what *needs* says: busy, model, raw, dbt, pair, daily."""
    while True:
        place = draw_place(
            draw, busy="busy" in needs, modelled="model" in needs, raw="raw" in needs
        )
        if "pair" in needs and len(place.dimensions) < 2:  # noqa: PLR2004 - a pair
            continue
        if "daily" in needs and place.window > DAY:
            continue
        if "dbt" in needs and place.models.source is None:
            continue
        if "busy" in needs and place.traffic.rows < 300:  # noqa: PLR2004 - rows a window, so that shares mean something
            continue
        return place


def surround(story: Story) -> None:
    """Add what only looks like a fault, and the tags that tell of it."""
    chosen = []
    for name, decoy in (DECOYS | BYSTANDERS).items():
        before = _marks(story)
        if happens(story.draw, DECOY_SHARE):
            decoy(story)
        if _marks(story) != before:
            chosen.append(name)
    story.tags += [
        f"role:{story.place.role}",
        *chosen,
        *(["decoys"] if chosen else []),
        *(["short_history"] if story.place.short else []),
        *([] if story.place.by_arrival else ["event_time"]),
    ]


def _marks(story: Story) -> tuple[object, ...]:
    """Return what every decoy changes something of."""
    return (
        len(story.syncs), len(story.nodes), len(story.deploys), len(story.columns), len(story.peers),
        story.respelled_at, story.vague, story.place.dimensions,
    )  # fmt: skip


def _wear(story: Story, document: Facts) -> None:
    if "uncovered" in story.tags:
        document.update(dict.fromkeys(UNKNOWN_FACTS), dataset=None, segment_profiles=None)
        return
    for name, (share, blemish) in BLEMISHES.items():
        if happens(story.draw, share):
            blemish(story, document)
            story.tags.append(name)
    if happens(story.draw, HOLE_SHARE):
        facts = story.draw.sample(
            (*DECIDES.values(), "dq_results", "volume_history"), story.draw.choice((1, 1, 2))
        )
        hole(story, document, facts)


def _truth(story: Story, document: Facts) -> Facts:
    missing = [fact for fact in DECIDES.values() if document[fact] is None]
    truth: Facts = {
        "case_id": story.case_id, "causes": story.causes, "signal": story.signals, "symptoms": sorted(story.symptoms),
        "diagnosable": story.diagnosable, "difficulty": story.difficulty, "tags": story.tags, "holes": missing,
    }  # fmt: skip
    if story.mover is not None and "dimension_profiles" not in missing:
        truth["top_mover"] = story.mover
    if story.segment is not None and document["segment_profiles"]:
        truth["segment"] = story.segment
    return truth
