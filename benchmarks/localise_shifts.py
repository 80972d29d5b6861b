"""Incident cases as questions about segments: what moved is known, and where nothing did."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rca.case import Case, DimensionProfile, SegmentProfile
from rca.stats.localise import Segment, segments

SPARE_FROM: Final = 4  # older windows; from here on the newest is left out, as the engine does
MOST_WINDOWS: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftQuestion:
    """Profiles of one incident over the same dimensions; ``truth`` is None where nothing was made to move."""

    case_id: str
    kind: str
    profiles: tuple[SegmentProfile, ...]
    truth: Mapping[str, str | None] | None
    current: datetime
    baseline: tuple[datetime, ...]

    def answer(self) -> tuple[Segment, ...]:
        """Return what the search says."""
        return segments(self.profiles, current=self.current, baseline=self.baseline)


def read_shifts(folder: Path) -> Iterator[ShiftQuestion]:
    """Yield a question per case in which something moved, and one per dimension of each case without a cause."""
    with (folder / "dev.truth.jsonl").open(encoding="utf-8") as lines:
        truths = {truth["case_id"]: truth for truth in map(json.loads, lines)}
    with gzip.open(folder / "dev.cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            case = Case.model_validate_json(line)
            yield from _questions(case, truths[case.case_id])


def _questions(case: Case, truth: Mapping[str, Any]) -> Iterator[ShiftQuestion]:
    single = [_widened(profile) for profile in case.dimension_profiles or ()]
    mover, segment = truth.get("top_mover"), truth.get("segment")
    if segment:
        names = tuple(segment["dimensions"])
        wanted = dict(zip(names, segment["values"], strict=True))
        yield from _question(case, "segment", _over(names, case.segment_profiles or ()), wanted)
    elif mover and mover["value"] is not None:
        name = mover["dimension"]
        yield from _question(case, _kind(truth), _over((name,), single), {name: mover["value"]})
    elif not truth["causes"]:
        kind = next((t for t in truth["tags"] if t.startswith("negative:")), "quiet")
        for names in dict.fromkeys(profile.dimensions for profile in single):
            yield from _question(case, kind, _over(names, single), None)


def _kind(truth: Mapping[str, Any]) -> str:
    about = ("kind:drift", "kind:new", "kind:cardinality")
    return next((t for t in truth["tags"] if t.startswith(about)), "other")


def _widened(profile: DimensionProfile) -> SegmentProfile:
    return SegmentProfile(
        dimensions=(profile.dimension,),
        window_start=profile.window_start,
        window_end=profile.window_end,
        rows=tuple(((value,), rows) for value, rows in profile.counts.items()),
    )


def _over(names: tuple[str, ...], profiles: Sequence[SegmentProfile]) -> tuple[SegmentProfile, ...]:
    return tuple(profile for profile in profiles if profile.dimensions == names)


def _question(
    case: Case,
    kind: str,
    profiles: tuple[SegmentProfile, ...],
    truth: Mapping[str, str | None] | None,
) -> Iterator[ShiftQuestion]:
    known_by = min(case.anomaly.detected_at, case.as_of)
    ends = sorted({p.window_end for p in profiles if p.window_start <= known_by})
    if len(ends) < 2:  # noqa: PLR2004 - one to judge and one to compare with
        return
    past = ends[-1 - MOST_WINDOWS : -1]
    yield ShiftQuestion(
        case_id=case.case_id,
        kind=kind,
        profiles=profiles,
        truth=truth,
        current=ends[-1],
        baseline=tuple(past[:-1] if len(past) >= SPARE_FROM else past),
    )
