"""Questions with known answers for the search of segments: public sets as files, and scores."""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from rca.stats.localise_cube import Codes, Element, Numbers

EARLIER_MINUTES: Final = 4  # whose mean is the prediction of the RobustSpot set
UNKNOWN: Final = -1  # code of a value that no row holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Leaves of an additive measure and the elements that were injected."""

    name: str
    codes: Codes
    sizes: tuple[int, ...]
    expected: Numbers
    observed: Numbers
    truth: frozenset[Element]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateQuestion:
    """Leaves of a rate and the elements that people named."""

    name: str
    codes: Codes
    sizes: tuple[int, ...]
    hits_before: Numbers
    trials_before: Numbers
    hits: Numbers
    trials: Numbers
    truth: frozenset[Element]


@dataclass(slots=True, kw_only=True)
class Score:
    """Counts of elements found, invented and missed, and of questions answered exactly."""

    hits: int = 0
    invented: int = 0
    missed: int = 0
    exact: int = 0
    questions: int = 0

    def add(self, found: frozenset[Element], truth: frozenset[Element]) -> None:
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


class Coder:
    """Gives each value of each column a code, in the order of appearance."""

    def __init__(self, columns: Sequence[str]) -> None:
        """Start without values."""
        self._places: dict[str, dict[str, int]] = {column: {} for column in columns}
        self._order = list(columns)

    def code(self, rows: Iterable[Sequence[str]]) -> Codes:
        """Return one row of codes for each row of values."""
        columns = list(zip(*rows, strict=True))
        places = self._places.values()
        coded = [
            [known.setdefault(value, len(known)) for value in column]
            for known, column in zip(places, columns, strict=True)
        ]
        return np.array(coded, dtype=np.intp).T.copy()

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of values of each column."""
        return tuple(len(known) for known in self._places.values())

    def element(self, conditions: Mapping[str, str]) -> Element:
        """Return the element with these values; a value never seen gets a code that nothing has."""
        pairs = (
            (self._order.index(c), self._places[c].get(v, UNKNOWN)) for c, v in conditions.items()
        )
        return tuple(sorted(pairs))


def read_squeeze(folder: Path) -> Iterator[tuple[str, list[list[str]], frozenset[str]]]:
    """Yield name, rows (header first) and labels of each file of a folder in the Squeeze set's layout."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as lines:
        labels = {row["file"]: row["root_cause_set"] for row in csv.DictReader(lines)}
    for name in sorted(labels):
        with gzip.open(folder / name, "rt", encoding="utf-8", newline="") as lines:
            yield name, list(csv.reader(lines)), frozenset(labels[name].split(";"))


def squeeze_question(name: str, rows: list[list[str]], labels: frozenset[str]) -> Question:
    """Return a file of the Squeeze set as a question; this is what coding costs."""
    head, body = rows[0], rows[1:]
    coder = Coder(head[2:])
    codes = coder.code(row[2:] for row in body)
    numbers = np.array([row[:2] for row in body], dtype=np.float64)
    truth = (dict(c.split("=", 1) for c in label.split("&")) for label in labels)
    return Question(
        name=name,
        codes=codes,
        sizes=coder.sizes,
        expected=numbers[:, head.index("predict")],
        observed=numbers[:, head.index("real")],
        truth=frozenset(coder.element(conditions) for conditions in truth),
    )


def read_robustspot(archive: Path) -> Iterator[RateQuestion]:
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


def _rate_question(label: Mapping[str, Any], rows: list[list[str]]) -> RateQuestion:
    head, body = rows[0], rows[1:]
    minute, value, count = (head.index(name) for name in ("min", "value", "cnt"))
    attributes = [i for i in range(len(head)) if i not in (minute, value, count)]
    judged = int(str(label["timestamp"]))
    earlier = sorted({int(row[minute]) for row in body if int(row[minute]) < judged})
    wanted = {*earlier[-EARLIER_MINUTES:], judged}
    coder = Coder([head[i] for i in attributes])
    kept = [row for row in body if int(row[minute]) in wanted]
    codes, which = np.unique(
        coder.code([row[i] for i in attributes] for row in kept), axis=0, return_inverse=True
    )
    now = np.array([int(row[minute]) == judged for row in kept])
    hits = np.array([float(row[value]) for row in kept])
    trials = np.maximum(np.array([float(row[count]) for row in kept]), hits)

    def summed(numbers: Numbers, chosen: Codes) -> Numbers:
        return np.bincount(which.ravel(), numbers * chosen, len(codes)).astype(np.float64)

    causes = label["cause"] if isinstance(label["cause"], list) else [label["cause"]]
    truth = ({str(k): str(v) for k, v in cause.items()} for cause in causes)
    return RateQuestion(
        name=str(label["data"]),
        codes=codes.astype(np.intp),
        sizes=coder.sizes,
        hits_before=summed(hits, ~now),
        trials_before=summed(trials, ~now),
        hits=summed(hits, now),
        trials=summed(trials, now),
        truth=frozenset(coder.element(conditions) for conditions in truth),
    )
