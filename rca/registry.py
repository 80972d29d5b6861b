"""Finds the detectors: every module of ``rca.detectors`` ends in one constant, ``DETECTOR``."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import rca.detectors
from rca.case import RcaError
from rca.detection import Detector
from rca.evidence import SignalCode

SENTENCE_END: Final = re.compile(r"(?<=\.) (?=[A-Z])")  # Markdown here has one sentence per line


class RegistryError(RcaError):
    """A module of rca.detectors without a DETECTOR, or two that speak for the same signal."""


def collect(found: Iterable[tuple[str, object]]) -> Mapping[SignalCode, Detector]:
    """Return the detectors of *found* (module name, its DETECTOR constant) by code, in the vocabulary's order.

    Raises:
        RegistryError: a constant is missing or of another type, or a code is claimed twice.
    """
    by_code: dict[SignalCode, Detector] = {}
    for name, constant in found:
        if not isinstance(constant, Detector):
            raise RegistryError(f"{name} has no constant DETECTOR of type Detector")
        if constant.code in by_code:
            raise RegistryError(
                f"{name} claims {constant.code.value}, which another module already speaks for"
            )
        by_code[constant.code] = constant
    return MappingProxyType({code: by_code[code] for code in SignalCode if code in by_code})


def _discover() -> Iterable[tuple[str, object]]:
    for module in pkgutil.iter_modules(rca.detectors.__path__):
        name = f"{rca.detectors.__name__}.{module.name}"
        yield name, getattr(importlib.import_module(name), "DETECTOR", None)


DETECTORS: Final = collect(_discover())
"""Every detector there is, by its code."""


def catalog() -> str:
    """Return the detectors as a Markdown page, made from their docstrings."""
    lines = [
        "# Detectors",
        "",
        "Generated from the docstrings of `rca/detectors`; do not edit.",
        "",
    ]
    for code, detector in DETECTORS.items():
        doc = importlib.import_module(detector.detect.__module__).__doc__ or ""
        facts = ", ".join(f"`{fact.value}`" for fact in detector.reads)
        lines += [
            f"## `{code.value}`",
            "",
            f"Speaks for `{detector.cause.value}`; reads {facts}.",
            "",
            *_as_list(doc),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _as_list(doc: str) -> list[str]:
    """Return a docstring as Markdown: its summary, then one bullet for each labelled paragraph."""
    summary, _, body = doc.strip().partition("\n\n")
    bullets: list[str] = []
    for line in body.splitlines():
        if line.startswith(("Fires when:", "Abstains when:", "Looks like it but is not:")):
            label, _, rest = line.partition(":")
            bullets.append(f"- **{label}**:{rest}")
        elif line.strip() and bullets:
            bullets[-1] += f" {line.strip()}"
    return [summary.replace("\n", " "), "", *(SENTENCE_END.sub("\n  ", b) for b in bullets)]
