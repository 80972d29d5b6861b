"""Faults in real days: valid cases, rows that agree everywhere, and truths that the counts bear out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from benchmarks.real_days.faults import FAULTS, HELD, NEVER_SEEN
from benchmarks.real_days.making import incidents
from rca.case import parse_case
from rca.evaluation import Truth

NUMBER = 120


@pytest.fixture(scope="module")
def year():
    """Return days that look like those of the flights, some of them stormy; the real ones are fetched when measured."""
    draw = np.random.default_rng(3)
    keys = [
        (carrier, origin, dest, hour)
        for carrier in ("UA", "B6", "EV", "DL")
        for origin in ("EWR", "JFK", "LGA")
        for dest in ("ORD", "ATL")
        for hour in map(str, range(6, 23))
    ]
    usual = draw.gamma(1.0, 3.0, len(keys))
    return [
        Counter(dict(zip(keys, draw.poisson(usual * (0.5 if day % 20 == 0 else 1.0)).tolist(), strict=True)))
        for day in range(120)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def made(year):
    return list(incidents(year, 5, NUMBER))


def test_every_case_keeps_to_the_contract(made):
    """No unknown key, the truth belongs to the case, and all faults come up, storms one in ten."""
    for document, told in made:
        case, unknown = parse_case(document)
        assert unknown == ()
        assert case.case_id == Truth.model_validate(told).case_id
    kinds = Counter(told["tags"][0] for _, told in made)
    assert len(kinds) == len(FAULTS) + 1
    assert kinds["negative:storm"] == NUMBER // 10


def test_the_same_rows_are_told_everywhere(made):
    """Windows, profiles, combinations and, but for a failed one, syncs add up to the same rows."""
    for case, _ in made:
        rows = {w["window_end"]: w["rows"] for w in case["volume_history"]}
        for profile in case["dimension_profiles"]:
            assert sum(profile["counts"].values()) == rows[profile["window_end"]]
        for segment in case["segment_profiles"]:
            assert sum(n for _, n in segment["rows"]) == rows[segment["window_end"]]
        assert sum(job["rows_synced"] for job in case["ingestion_jobs"]) == sum(rows.values())


def test_what_the_truth_says_can_be_counted(made):
    """A value that is gone is, a newcomer came, a failed sync failed, and a missing one is missing."""
    for case, told in made:
        kind = told["tags"][0].partition(":")[2]
        last = case["volume_history"][-1]["window_end"]
        now = {
            p["dimension"]: p["counts"]
            for p in case["dimension_profiles"]
            if p["window_end"] == last
        }
        if kind == "gone":
            place = told["top_mover"]
            left = now[place["dimension"]].get(place["value"], 0)
            assert left <= 2 * HELD * sum(now[place["dimension"]].values())
        came = any(NEVER_SEEN in counts for counts in now.values())
        assert came == (kind == "newcomer")
        statuses = [job["status"] for job in case["ingestion_jobs"]]
        assert ("failed" in statuses) == (kind == "failed")
        days = {job["id"].partition("-")[0] for job in case["ingestion_jobs"]}
        assert (len(days) < len(case["volume_history"])) == (kind == "missing")


def test_the_same_seed_makes_the_same_incidents(year):
    """Whoever measures again measures the same thing."""
    assert list(incidents(year, 8, 5)) == list(incidents(year, 8, 5))
    assert list(incidents(year, 8, 5)) != list(incidents(year, 9, 5))
