"""What only looks like a fault: decoys beside a real one, and whole alerts without any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from benchmarks.strangers.faults import swell
from benchmarks.strangers.place import happens
from benchmarks.strangers.story import ColumnChange, Deploy, NodeTrouble, Story, SyncTrouble
from benchmarks.strangers.words import MODEL_ERRORS, PEOPLE, SYNC_ERRORS

CALM: Final = 0.12  # day-to-day noise in logs; with more, a slow day may be the lowest ever seen
Decoy = Callable[[Story], None]
CODES: Final = ("auth_error", "rate_limit", "source_timeout", "platform", None)


def recovered_sync(story: Story) -> None:
    """A sync failed days ago, and the retry minutes later caught up."""
    code = story.draw.choice(CODES)
    at = -story.draw.randint(4, max(5, story.place.jobs - 3)) - round(
        story.place.window / story.place.sync_every
    )
    story.syncs.append(
        SyncTrouble(
            first=at,
            last=at,
            how="retried",
            code=code,
            message=story.draw.choice(SYNC_ERRORS[code]),
            origin="source",
        )
    )


def cancelled_sync(story: Story) -> None:
    """Somebody stopped a sync long before."""
    at = -story.draw.randint(5, max(6, story.place.jobs - 3)) - round(
        story.place.window / story.place.sync_every
    )
    story.syncs.append(SyncTrouble(first=at, last=at, how="cancelled", message="Cancelled by user"))


def unrelated_model(story: Story) -> None:
    """A model fails that the dataset does not read."""
    if story.place.models.unrelated:
        first = story.draw.choice((0, 0, -1, -10))
        story.nodes.append(
            NodeTrouble(
                first=first,
                last=0,
                node=story.draw.choice(story.place.models.unrelated),
                message=story.draw.choice(MODEL_ERRORS),
            )
        )


def harmless_deploy(story: Story) -> None:
    """A commit that changes other models, or none."""
    models = story.place.models
    if models.source is not None and not story.deploys:
        changed = (story.draw.choice(models.unrelated),) if happens(story.draw, 0.6) else ()
        story.deploys.append(
            Deploy(
                first=story.draw.choice((0, -1, -2)), by=story.draw.choice(PEOPLE), changed=changed
            )
        )


def chronic_test(story: Story) -> None:
    """A test that has failed in every run anybody remembers."""
    models = story.place.models
    used = {t.node for t in story.nodes}
    tests = [t for n in models.tests for t in models.tests[n] if t not in used]
    if tests:
        story.nodes.append(
            NodeTrouble(
                first=-10_000,
                last=0,
                node=story.draw.choice(tests),
                status="fail",
                message="Got 7 results, configured to fail if != 0",
            )
        )


def flaky_test(story: Story) -> None:
    """A test that fails every few runs and is fine again."""
    models = story.place.models
    used = {t.node for t in story.nodes}
    tests = [t for n in models.tests for t in models.tests[n] if t not in used]
    if tests:
        test, every = story.draw.choice(tests), story.draw.randint(2, 4)
        for index in range(-1, 1 - story.place.runs, -every):
            story.nodes.append(
                NodeTrouble(
                    first=index,
                    last=index,
                    node=test,
                    status="fail",
                    message="Got 2 results, configured to fail if != 0",
                )
            )


def recovered_model(story: Story) -> None:
    """A model on the way failed once and was right again the next run, well before."""
    chain = story.place.models.chain
    runs_a_window = round(story.place.window / story.place.run_every)
    if chain and story.place.runs > runs_a_window + 6:
        at = -story.draw.randint(runs_a_window + 2, story.place.runs - 3)
        story.nodes.append(
            NodeTrouble(
                first=at,
                last=at,
                node=story.draw.choice(chain[1:]),
                message=story.draw.choice(MODEL_ERRORS),
            )
        )


def old_column(story: Story) -> None:
    """A column came weeks ago."""
    at = story.end - timedelta(days=story.draw.randint(8, 30)) - 2 * story.place.window
    story.columns.append(
        ColumnChange(at=at, change=lambda columns: [*columns, ("partner_code", "text")])
    )


def peer_errors(story: Story) -> None:
    """Others have trouble with the same kind of source, this place has not."""
    for tenant in ("globetrotter", "südwerk", "acme-nz")[: story.draw.randint(1, 3)]:
        story.peers.append({
            "tenant_id": tenant, "connector_id": str(story.draw.randint(10, 9999)),
            "source_kind": story.place.source_kind,
            "error_code": story.draw.choice(("rate_limit", "auth_error", "platform", None)),
            "last_at": story.detected_at - timedelta(minutes=story.draw.randint(5, 400)),
        })  # fmt: skip


DECOYS: Final[dict[str, Decoy]] = {
    "decoy_recovered_sync": recovered_sync, "decoy_cancelled_sync": cancelled_sync,
    "decoy_unrelated_model": unrelated_model, "decoy_harmless_deploy": harmless_deploy,
    "decoy_chronic_test": chronic_test, "decoy_flaky_test": flaky_test,
    "decoy_recovered_model": recovered_model, "decoy_old_schema": old_column, "decoy_peer_errors": peer_errors,
}  # fmt: skip


def promotion(story: Story) -> None:
    """Far more rows than usual, and all of them real."""
    swell(story, story.draw.uniform(1.6, 4.0))


def quiet_day(story: Story) -> None:
    """A somewhat slow day: everything a little less, no sync worse than the others."""
    traffic = replace(story.place.traffic, sigma=min(story.place.traffic.sigma, CALM))
    story.place = replace(story.place, traffic=traffic)
    swell(story, story.draw.uniform(0.65, 0.8))


def holiday(story: Story) -> None:
    """A day on which the people of the place do something else."""
    swell(story, story.draw.uniform(0.3, 0.5))
    story.difficulty = "hard"


def self_resolved(story: Story) -> None:
    """The check passes again, and nothing is to be seen."""
    story.resolved = True
    story.anomaly_type = story.draw.choice(
        ("quality_check_failure", "volume_anomaly", "freshness_anomaly")
    )


def false_alarm(story: Story) -> None:
    """A fixed threshold that this place touches every week."""
    story.anomaly_type = story.draw.choice(("volume_anomaly", "distribution_anomaly", "other"))


def noisy_dimension(story: Story) -> None:
    """A dimension that never holds still."""
    story.anomaly_type = "distribution_anomaly"
    first, *others = story.place.dimensions
    story.place = replace(story.place, dimensions=(replace(first, steadiness=25.0), *others))


def uncovered(story: Story) -> None:
    """A dataset nobody has told us about: only the alert is known."""
    story.tags.append("uncovered")
    story.anomaly_type = story.draw.choice(
        ("volume_anomaly", "freshness_anomaly", "quality_check_failure", "other")
    )


NEGATIVES: Final[dict[str, Decoy]] = {
    "promo": promotion, "dip": quiet_day, "holiday": holiday, "self_resolved": self_resolved,
    "false_alarm": false_alarm, "noisy_dim": noisy_dimension, "uncovered": uncovered,
}  # fmt: skip
