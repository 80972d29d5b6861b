"""The runbook at run time: a good folder is taken up once it rests, a bad one never."""

from __future__ import annotations

import logging
import os
import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from bot.shelf import Shelf
from runbook.load import RunbookError

PAGE = "ingestion_failure.md"
ACTION = "Check Airbyte connection"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped pages."""
    with as_file(files("runbook").joinpath("pages")) as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "pages"))


def write(page: Path, text: str, at: int) -> None:
    """Write *page* as of second *at*, whatever the file system's clock can tell apart."""
    page.write_text(text, "utf-8")
    os.utime(page, (at, at))


def first_action(shelf: Shelf) -> str:
    """What the runbook in force says first about an ingestion failure."""
    (page,) = [one for one in shelf.book().pages.values() if one.cause == "ingestion_failure"]
    assert page.quick_reference is not None
    return page.quick_reference.first_action


def test_the_shipped_pages_do_not_change() -> None:
    """Without a folder there is nothing to look at."""
    assert Shelf(None).refresh() is False


def test_an_edit_is_taken_up_once_it_rests(folder: Path) -> None:
    """The look that sees the change leaves it, the next one reads it, the one after has nothing to do."""
    shelf = Shelf(folder)
    text = (folder / PAGE).read_text("utf-8")
    write(folder / PAGE, text.replace(ACTION, "Call the vendor"), 1)
    assert [shelf.refresh() for _ in range(3)] == [False, True, False]
    assert first_action(shelf) == "Call the vendor"


def test_a_file_that_is_being_written_is_left_alone(folder: Path) -> None:
    """Each look finds it longer: a page that would read well but lacks its last rules is never in force."""
    shelf = Shelf(folder)
    text = (folder / PAGE).read_text("utf-8").replace(ACTION, "Call the vendor")
    head, _, rules = text.partition("escalations:")
    body = rules.partition("---")[2]
    for second, half in enumerate((f"{head}escalations: []\n---{body}", text[:-10], text)):
        write(folder / PAGE, half, second)
        assert shelf.refresh() is False
        assert first_action(shelf) == ACTION
    assert shelf.refresh() is True
    assert first_action(shelf) == "Call the vendor"


@pytest.mark.parametrize("content", [b"---\ncause: [", b"\xff\xfe", b""])
def test_a_bad_page_replaces_nothing(
    folder: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged once with its problem; the last good runbook stays, and the mended page is taken up."""
    shelf = Shelf(folder)
    good = (folder / PAGE).read_text("utf-8")
    (folder / PAGE).write_bytes(content)
    with caplog.at_level(logging.ERROR, "bot.shelf"):
        assert [shelf.refresh() for _ in range(4)] == [False] * 4
    assert len(caplog.records) == 1
    assert first_action(shelf) == ACTION
    write(folder / PAGE, good.replace(ACTION, "Call the vendor"), 2)
    assert [shelf.refresh() for _ in range(2)] == [False, True]


def test_the_folder_is_gone(folder: Path) -> None:
    """The last good runbook stays in force."""
    shelf = Shelf(folder)
    shutil.rmtree(folder)
    assert [shelf.refresh() for _ in range(3)] == [False] * 3
    assert first_action(shelf) == ACTION


def test_a_bad_folder_stops_the_start(tmp_path: Path) -> None:
    """There is no good one to keep."""
    with pytest.raises(RunbookError):
        Shelf(tmp_path / "nowhere")
