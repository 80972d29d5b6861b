"""``rca-bot localise``: a table in, the places that moved out; and what is said when the table will not do."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.localise import BELOW_NOTHING

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "revenue_fell.csv"
HOW_TO = ROOT / "docs" / "how-to" / "localise.md"
COUNTRIES = ("US", "CA", "GB", "DE")
CHANNELS = ("web", "pos", "app")


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)


def table(head: str, usual: str, *, gb: str | None = None, first: str = "country,channel") -> str:
    """A row of *usual* numbers per country and channel; those of GB differ."""
    rows = (
        f"{country},{channel},{gb if gb and country == 'GB' else usual}"
        for country in COUNTRIES
        for channel in CHANNELS
    )
    return "\n".join((f"{first},{head}", *rows)) + "\n"


def said(
    text: str, folder: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, str, str]:
    """Status, output and errors for a table of *text*."""
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    status = main(["localise", str(path), *options])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_the_how_to_shows_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The page's own example gives the page's own words."""
    assert main(["localise", str(EXAMPLE)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert f"```text\n{printed.out}```\n" in HOW_TO.read_text("utf-8")


@pytest.mark.parametrize(
    ("head", "usual", "gb", "change"),
    [
        (
            "real,predict",
            "100.5,100.5",
            "20.1,100.5",
            "302 expected, now 60.3 (-80.0 %); 100 % of the fall",
        ),
        (
            "hits,trials,past_hits,past_trials",
            "20,1000,80,4000",
            "300,1000,80,4000",
            "2.00 % (60 of 3,000) expected, now 30.00 % (900 of 3,000); 100 % of the rise",
        ),
        (
            "rows,past_rows,past_rows_2",
            "100,101,99",
            "10,101,99",
            "300 expected, now 30 (-90.0 %); 100 % of the fall",
        ),
    ],
    ids=["additive", "rate", "counts"],
)
def test_the_columns_say_what_the_numbers_are(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    head: str,
    usual: str,
    gb: str,
    change: str,
) -> None:
    """The country that moved is named with its numbers; the same table without it names nothing."""
    status, out, err = said(table(head, usual, gb=gb), tmp_path, capsys)
    assert (status, err) == (0, "")
    assert out.splitlines()[1:] == ["1. country = GB", f"   {change}"]
    status, out, err = said(table(head, usual), tmp_path, capsys)
    assert (status, err) == (0, "")
    assert out.splitlines()[1:] == ["No part of it stands out from the noise of its own rows."]


@pytest.mark.parametrize(("gb", "last"), [("-50.5,100", [BELOW_NOTHING]), ("0,100", [])])
def test_sums_below_nothing_are_said_to_count_as_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], gb: str, last: list[str]
) -> None:
    """A reader sees why a place holds 0 where the sum of the table is lower; a table without them needs no word."""
    status, out, err = said(table("real,predict", "100,100", gb=gb), tmp_path, capsys)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[2] == "   300 expected, now 0 (-100.0 %); 100 % of the fall"
    assert lines[3:] == last


@pytest.mark.parametrize("more", [0, 1])
def test_one_past_window_is_said_to_be_little(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: int
) -> None:
    """Without a second window nobody can see how much they stray; with one nothing is said."""
    head, past = "rows,past_rows" + ",past_rows_2" * more, ",100" * (1 + more)
    _, out, _ = said(table(head, f"100{past}", gb=f"9{past}"), tmp_path, capsys)
    assert "1. country = GB" in out
    assert ("One past window" in out) is not bool(more)


def test_a_measure_that_is_named_goes_before_the_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Columns of sums asked about as counts: the numbers are rows, and few of them are chance."""
    few = table("real,predict", "5,5", gb="2,5")
    assert "country = GB" in said(few, tmp_path, capsys)[1]
    status, out, _ = said(few, tmp_path, capsys, "--measure", "counts")
    assert status == 0
    assert out.startswith("Rows: 60 expected, now 51 (-15.0 %)")
    assert "country = GB" not in out


def test_programs_get_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--json``: format, measure, dimensions and every number unrounded, on one line."""
    text = table("hits,trials,past_hits,past_trials", "20,1000,80,4000", gb="300,1000,80,4000")
    status, out, err = said(text, tmp_path, capsys, "--json")
    assert (status, err, out.count("\n")) == (0, "", 1)
    assert json.loads(out) == {
        "format": "rca.segments/1",
        "measure": "rate",
        "dimensions": ["country", "channel"],
        "combinations": 12,
        "segments": [
            {
                "elements": {"country": "GB"},
                "expected": pytest.approx(60.0),
                "observed": 900.0,
                "trials": 3000.0,
                "explained_share": pytest.approx(1.0),
            }
        ],
    }


def test_a_table_comes_packed_or_through_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same answer for the file, for the file packed, with a byte-order mark, and from standard input."""
    raw = EXAMPLE.read_bytes()
    packed = tmp_path / "table.csv.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + raw))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    answers = []
    for path in (str(EXAMPLE), str(packed), "-"):
        assert main(["localise", path]) == 0
        answers.append(capsys.readouterr().out)
    assert answers == answers[:1] * 3


def test_names_cannot_command_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape codes, line breaks and marks of direction in names and values are shown and not obeyed."""
    text = table("real,predict", "100,100", gb="9,100", first='"land\x1b[2J","chan\u202enel"')
    text = text.replace("GB", '"G\x1b]0;owned\x07\nB"')
    status, out, _ = said(text, tmp_path, capsys)
    assert status == 0
    assert "land\N{REPLACEMENT CHARACTER}[2J = G\N{REPLACEMENT CHARACTER}]0;owned" in out
    assert not set(out) & {"\x1b", "\x07", "\u202e"}
    assert len(out.splitlines()) == 3


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"a,real,predict\n\xff,1,2\n", "byte 16 is not UTF-8"),
        (b"a,real,predict\nx,1,oops\n", "column predict, line 2: 'oops' is not a number"),
        (b"x" * (64 * 2**20 + 1), "larger than 64 MiB"),
    ],
    ids=["bytes", "a number", "size"],
)
def test_what_cannot_be_read_is_said_with_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], raw: bytes, problem: str
) -> None:
    """Status 2, one line that names the file and the place, and no output."""
    path = tmp_path / "table.csv"
    path.write_bytes(raw)
    assert main(["localise", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"rca-bot: {path}: {problem}")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("cut", [10, 60])
def test_a_packed_file_that_is_cut_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cut: int
) -> None:
    """A download that broke off is no reason to fall over."""
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(EXAMPLE.read_bytes())[:cut])
    assert main(["localise", str(path)]) == 2
    assert "cut or broken" in capsys.readouterr().err


def test_a_terminal_without_some_letter_gets_its_number():
    """An ASCII terminal shows the answer, not a traceback."""
    table = "city,real,predict\nZürich,10,1000\nBern,1000,1000\nBasel,1003,1000\n"
    done = subprocess.run(
        [sys.executable, "-c", "import sys, bot.cli; sys.exit(bot.cli.main())", "localise", "-"],
        input=table.encode(),
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"1. city = Z\\xfcrich" in done.stdout
