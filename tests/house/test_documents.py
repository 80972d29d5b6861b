"""The documents are short, true to the code, and lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.settings import Settings

ADR_SECTIONS = ("Context", "Decision", "Consequences")
ADR_WORDS = 600  # one printed page
CONTRIBUTING_LINES = 80  # one printed page
VERBATIM = frozenset({Path("docs/INCIDENT_RUNBOOK.md")})  # not ours to lay out anew

TWO_SENTENCES = re.compile(
    r"[a-z0-9)`*\"”](?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\betc)[.?!] +(?=[A-Z`*\"“(])"
)
LEAD = re.compile(
    r"^\s*(?:[-*]|\d+\.) +(?:\*\*[^*]+\*\* )?"
)  # the mark of a list, and its bold first words
LINK = re.compile(r"\[[^\]]*\]\((?!\w+:|#)([^)#\s]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)


def _prose(text: str) -> list[str]:
    """Return the lines that hold sentences: no code, tables, front matter or headings."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "`x`", text)
    lines = [LEAD.sub("", line) for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith(("|", "#", "    "))]


def _adrs(root: Path) -> list[Path]:
    return sorted((root / "docs/adr").glob("[0-9]*.md"))


def test_each_decision_is_one_page_of_the_same_form(root: Path) -> None:
    """A number, a title, a date, three sections, and no more than a page."""
    for path in _adrs(root):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} "), path
        assert re.search(r"^Date: 20\d\d-\d\d-\d\d$", text, re.MULTILINE), path
        assert tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) == ADR_SECTIONS, path
        assert len(text.split()) <= ADR_WORDS, path


def test_decisions_are_numbered_without_gaps_and_listed(root: Path) -> None:
    """The list of decisions has each of them, under its title."""
    paths = _adrs(root)
    index = (root / "docs/adr/README.md").read_text(encoding="utf-8")
    assert [path.name[:4] for path in paths] == [f"{n:04}" for n in range(1, len(paths) + 1)]
    for path in paths:
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix(f"# {path.name[:4]} ")
        assert f"| [{path.name[:4]}]({path.name}) | {title} |" in index


def test_contributing_is_one_page(root: Path) -> None:
    """How to work here can be read before the first change."""
    lines = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= CONTRIBUTING_LINES


def test_there_is_one_sentence_per_line(root: Path, documents: tuple[Path, ...]) -> None:
    """A change of a sentence is a change of one line, in review and in blame."""
    offences = [
        f"{path}: {line[:100]}"
        for path in documents
        if path not in VERBATIM
        for line in _prose((root / path).read_text(encoding="utf-8"))
        if TWO_SENTENCES.search(line)
    ]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(
    ("line", "two"),
    [
        ("It works. It is fast.", True),
        ("Is it? Yes.", True),
        ("Version 2.1 no longer brings it.", False),
        ("Units, e.g. Seconds, are in names.", False),
        ("See `a.b. C` for more.", False),
        ("1. Read this.", False),
        ("- **First.** Then this.", False),
        ("- Read this. Then that.", True),
    ],
)
def test_two_sentences_are_told_from_one(line: str, *, two: bool) -> None:
    """Abbreviations, versions and code are not ends of sentences."""
    assert bool(TWO_SENTENCES.search(_prose(line)[0])) is two


def test_links_inside_the_repository_resolve(root: Path, documents: tuple[Path, ...]) -> None:
    """No link leads to a file that is not there."""
    dead = [
        f"{path}: {target}"
        for path in documents
        for target in LINK.findall((root / path).read_text(encoding="utf-8"))
        if not (root / path.parent / target).exists()
    ]
    assert not dead, "\n".join(dead)


def test_documents_name_only_targets_that_exist(root: Path, documents: tuple[Path, ...]) -> None:
    """Whoever types what a document says gets what it says."""
    targets = set(
        re.findall(
            r"^([a-z-]+):.*## ", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    named = {
        (str(path), target)
        for path in documents
        for target in MAKE.findall((root / path).read_text(encoding="utf-8"))
    }
    assert {(path, target) for path, target in named if target not in targets} == set()


def test_the_readme_leads_newcomers_to_the_demo(root: Path) -> None:
    """The first thing to try is in the first thing to read."""
    assert "make demo" in (root / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_documented(root: Path) -> None:
    """Each field of the settings stands in docs/settings.md under the name of its variable."""
    text = (root / "docs/settings.md").read_text(encoding="utf-8")
    fields = [name for name, field in Settings.model_fields.items() if not field.exclude]
    variables = {"directory_path": "DIRECTORY", "model_path": "MODEL"}
    assert [n for n in fields if f"`{variables.get(n, n.upper())}`" not in text] == []


def test_no_document_names_a_machine(root: Path, documents: tuple[Path, ...]) -> None:
    """The documents hold on any machine."""
    pattern = re.compile(r"(?<![\w.])/(?:work|root|home|farm|Users)/")
    assert [p for p in documents if pattern.search((root / p).read_text(encoding="utf-8"))] == []
