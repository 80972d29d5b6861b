"""Windows, names and what is owed, as plain values."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from bot.ports import BotError
from bot.sources.warehouse.counting import Ledger, Subject, facts_of, worth_telling
from bot.sources.warehouse.failures import described, without_secret
from bot.sources.warehouse.options import Unit
from bot.sources.warehouse.relation import parse_relation
from bot.sources.warehouse.windows import TimeKind, Window, bound, closed, runs, time_kind

INSTANTS = st.datetimes(
    min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001 - hypothesis adds the zone
)  # fmt: skip
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]
).map(ZoneInfo)  # fmt: skip
DAY = timedelta(days=1)


def windows(days: int) -> list[Window]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [Window(start=start + n * DAY, end=start + (n + 1) * DAY) for n in range(days)]


@given(
    until=INSTANTS,
    span=st.timedeltas(timedelta(), timedelta(days=20)),
    zone=ZONES,
    unit=st.sampled_from(Unit),
)
def test_windows_follow_one_another(
    until: datetime, span: timedelta, zone: ZoneInfo, unit: Unit
) -> None:
    """Windows have no gaps, reach back to the first instant, are over at the last one, and the next one is not."""
    since = until - span
    found = closed(unit, zone, since, until)
    assert all(one.end == other.start for one, other in itertools.pairwise(found))
    longest = timedelta(hours=26) if unit is Unit.DAY else timedelta(hours=1)
    assert all(timedelta(0) < window.end - window.start <= longest for window in found)
    if found:
        assert found[0].start <= since < found[0].end
        assert found[-1].end <= until < found[-1].end + longest
    else:
        assert span < longest


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)],
)
def test_a_day_is_as_long_as_its_clock_says(day: date, hours: int) -> None:
    """In Berlin the day on which the clock is put forward has 23 hours, the one on which it is put back 25."""
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    (window,) = closed(Unit.DAY, zone, start, start + timedelta(hours=hours))
    assert window == Window(start=start, end=start + timedelta(hours=hours))
    assert closed(Unit.DAY, zone, start, start + timedelta(hours=hours, seconds=-1)) == ()
    assert bound(start, TimeKind.DATE, zone) == day


@given(st.sets(st.integers(0, 40), max_size=30), st.integers(1, 8), st.integers(1, 16))
def test_runs_hold_every_window_once(chosen: set[int], first: int, size: int) -> None:
    """Runs have no gaps, are no longer than agreed, come newest first, and together are what was asked for."""
    every = windows(41)
    asked = {every[n] for n in chosen}
    found = runs(asked, first, size)
    assert sorted(window for run in found for window in run) == sorted(asked)
    for run in found:
        assert all(one.end == other.start for one, other in itertools.pairwise(run))
    assert all(len(run) <= (first if n == 0 else size) for n, run in enumerate(found))
    assert [run[-1] for run in found] == sorted((run[-1] for run in found), reverse=True)


@pytest.mark.parametrize(
    ("type_name", "plain", "kind"),
    [
        ("DATE", TimeKind.NAIVE, TimeKind.DATE),
        ("timestamp(6) without time zone", TimeKind.NAIVE, TimeKind.NAIVE),
        ("timestamp(3) with time zone", TimeKind.NAIVE, TimeKind.AWARE),
        ("TIMESTAMP", TimeKind.NAIVE, TimeKind.NAIVE),
        ("TIMESTAMP", TimeKind.AWARE, TimeKind.AWARE),
        ("TIMESTAMP_NTZ(9)", TimeKind.NAIVE, TimeKind.NAIVE),
        ("TIMESTAMP_LTZ(9)", TimeKind.NAIVE, TimeKind.AWARE),
        ("DATETIME", TimeKind.AWARE, TimeKind.NAIVE),
        ("time", TimeKind.NAIVE, None),
        ("bigint", TimeKind.NAIVE, None),
        ("daterange", TimeKind.NAIVE, None),
        ("timestamp[]", TimeKind.NAIVE, None),
        (None, TimeKind.NAIVE, None),
    ],
)
def test_what_a_time_column_holds(
    type_name: str | None, plain: TimeKind, kind: TimeKind | None
) -> None:
    """Each warehouse's words for dates and timestamps are known, and nothing else is a time."""
    assert time_kind(type_name, plain) is kind


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("orders", [("orders", False)]),
        ("raw.shopify.orders", [("raw", False), ("shopify", False), ("orders", False)]),
        ('"Raw"."or.d""ers"', [("Raw", True), ('or.d"ers', True)]),
        ("`my-project.shop.orders`", [("my-project", False), ("shop", False), ("orders", False)]),
        ("`my-project`.shop.`orders`", [("my-project", True), ("shop", False), ("orders", True)]),
        ("[dbo].[Orders]", [("dbo", True), ("Orders", True)]),
        (
            "my-project.shop.orders_2026",
            [("my-project", False), ("shop", False), ("orders_2026", False)],
        ),
    ],
)
def test_a_relation_has_parts(written: str, parts: list[tuple[str, bool]]) -> None:
    """Dots part a name outside quotes only, and it is known which parts were quoted."""
    name = parse_relation(written)
    found = [part for part in (name.database, name.schema, name.table) if part is not None]
    assert [(part.text, part.quoted) for part in found] == parts


@pytest.mark.parametrize(
    "written",
    ["", ".", "a.", ".a", "a..b", "a.b.c.d", '"', '"a', 'a"b', '""', "a\nb", "a\x00b", "x" * 301],
)
def test_what_is_no_relation(written: str) -> None:
    """Names with empty, unfinished, too many, too long or unprintable parts are refused with a short sentence."""
    with pytest.raises(BotError) as caught:
        parse_relation(written)
    assert "the relation" in str(caught.value)
    assert len(str(caught.value)) < 700


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_is_refused(written: str) -> None:
    """No text makes the reading of names fail otherwise than with its own error."""
    try:
        name = parse_relation(written)
    except BotError:
        return
    assert name.table.text


def test_what_is_owed() -> None:
    """A window is owed until it was read, or became too old; what takes too long is asked for in smaller runs."""
    every = windows(10)
    ledger = Ledger()
    ledger.ask(every, every[0].start)
    ledger.paid(every[8:])
    assert ledger.owed == set(every[:8])
    ledger.too_slow(every[:8])
    assert ledger.size == 4
    ledger.ask(every[9:], every[3].end)
    assert ledger.owed == {*every[4:8], every[9]}


def test_a_window_that_alone_takes_too_long_is_given_up() -> None:
    """A single window that cannot be counted in time is not asked for again, nor is an older one; newer ones are."""
    every = windows(5)
    ledger = Ledger()
    ledger.ask(every, every[0].start)
    ledger.too_slow(every[2:3])
    assert ledger.owed == set(every[3:])
    assert ledger.size == 1


def test_empty_windows_before_the_first_row() -> None:
    """Empty windows before the first row are left out, those after it told, and those of late told anyway."""
    every = windows(5)
    subject = Subject(tenant_id="acme", dataset="orders", columns=())
    counted = facts_of(subject, every, [(1, 7)])
    late_from = every[3].end
    assert len(worth_telling(counted, late_from)) == 4
    nothing = facts_of(subject, every, [])
    assert len(worth_telling(nothing, late_from)) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "no answer within 3 s"),
        (
            OSError("[Errno 111] connect to s3cret-word failed\nsecond line"),
            "[Errno 111] connect to *** failed",
        ),
        (OSError(""), "OSError"),
    ],
)
def test_errors_in_words(error: Exception, said: str) -> None:
    """An error is one line, without the password."""
    url = make_url("postgresql://u:s3cret-word@h/d")
    assert str(described(error, url, 3.0)) == said


def test_our_own_mistakes_stay_errors() -> None:
    """A mistake in our code is not told as the warehouse's answer."""
    mistake = TypeError("x")
    assert described(mistake, make_url("duckdb:///x"), 1.0) is mistake


def test_secrets_in_the_query_of_an_address() -> None:
    """A token in the URL's query is taken out of what people read; a harmless word of it is not."""
    url = make_url("databricks://h?access_token=abcdef&schema=shop")
    assert without_secret("abcdef in shop", url) == "*** in shop"
