"""A test run that was killed leaves a database server behind; the next run clears it away, whatever became of it."""

from __future__ import annotations

import subprocess
import sys

from tests import postgres


def test_what_a_killed_run_left_is_cleared_even_when_its_programs_are_gone(tmp_path):
    """Its environment was deleted, and with it the program that would stop its server."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    folder = postgres.folder_for_tests()
    (folder / "owner").write_text(str(ended.pid), encoding="utf-8")
    (folder / "programs").write_text(str(tmp_path / "deleted" / "bin"), encoding="utf-8")
    postgres.clear_abandoned()
    assert not folder.exists()
