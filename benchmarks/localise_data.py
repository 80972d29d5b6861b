"""Questions with known answers for the search of segments: public sets as files, and scores."""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from rca.stats.localise_leaves import Leaves, RateLeaves, combined

EARLIER_MINUTES: Final = 4  # whose mean is the prediction of the RobustSpot set

Named = frozenset[tuple[str, str | None]]
"""An element in words: its dimensions and their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was measured, and the elements that were injected or that people named."""

    name: str
    leaves: Leaves
    truth: frozenset[Named]


@dataclass(slots=True, kw_only=True)
class Score:
    """Counts of elements found, invented and missed, and of questions answered exactly."""

    hits: int = 0
    invented: int = 0
    missed: int = 0
    exact: int = 0
    questions: int = 0

    def add(self, found: frozenset[Named], truth: frozenset[Named]) -> None:
        """Count one answer."""
        self.hits += len(found & truth)
        self.invented += len(found - truth)
        self.missed += len(truth - found)
        self.exact += found == truth
        self.questions += 1

    @property
    def precision(self) -> float:
        """Share of the answers that are true."""
        return self.hits / max(1, self.hits + self.invented)

    @property
    def recall(self) -> float:
        """Share of the truth that was answered."""
        return self.hits / max(1, self.hits + self.missed)

    @property
    def f1(self) -> float:
        """F1 over elements, all questions pooled."""
        return 2 * self.hits / max(1, 2 * self.hits + self.invented + self.missed)


def read_squeeze(folder: Path) -> Iterator[tuple[str, str, frozenset[Named]]]:
    """Yield name, text and truth of each file of a folder in the Squeeze set's layout."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as lines:
        labels = {row["file"]: row["root_cause_set"] for row in csv.DictReader(lines)}
    for name in sorted(labels):
        with gzip.open(folder / name, "rt", encoding="utf-8", newline="") as lines:
            elements = (element.split("&") for element in labels[name].split(";"))
            yield name, lines.read(), frozenset(frozenset(map(_pair, e)) for e in elements)


def _pair(condition: str) -> tuple[str, str | None]:
    name, value = condition.split("=", 1)
    return name, value


def read_robustspot(archive: Path) -> Iterator[Question]:
    """Yield every incident of the archive that has both its rows and its label."""
    with tarfile.open(archive) as tar:
        texts = {}
        for member in tar.getmembers():
            handle = tar.extractfile(member) if member.isfile() else None
            if handle is not None:
                texts[Path(member.name).name] = handle.read().decode("utf-8")
    for label in yaml.safe_load(texts["anomaly.yaml"]):
        rows = texts.get(f"{label['data']}.csv")
        if rows is not None:
            yield _rate_question(label, list(csv.reader(io.StringIO(rows))))


def _rate_question(label: Mapping[str, Any], rows: list[list[str]]) -> Question:
    head, body = rows[0], rows[1:]
    minute, value, count = (head.index(name) for name in ("min", "value", "cnt"))
    attributes = [i for i in range(len(head)) if i not in (minute, value, count)]
    judged = int(str(label["timestamp"]))
    earlier = sorted({int(row[minute]) for row in body if int(row[minute]) < judged})
    wanted = {*earlier[-EARLIER_MINUTES:], judged}
    kept = [row for row in body if int(row[minute]) in wanted]
    now = np.array([int(row[minute]) == judged for row in kept])
    hits = np.array([float(row[value]) for row in kept])
    trials = np.maximum(np.array([float(row[count]) for row in kept]), hits)
    names, sums = combined(
        {head[i]: [row[i] for row in kept] for i in attributes},
        [hits * now, trials * now, hits * ~now, trials * ~now],
    )
    causes = label["cause"] if isinstance(label["cause"], list) else [label["cause"]]
    return Question(
        name=str(label["data"]),
        leaves=RateLeaves(
            names=names, hits=sums[0], trials=sums[1], past_hits=sums[2], past_trials=sums[3]
        ),
        truth=frozenset(
            frozenset((str(name), str(wrong)) for name, wrong in cause.items()) for cause in causes
        ),
    )
