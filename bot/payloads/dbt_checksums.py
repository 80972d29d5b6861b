"""Whether a node's code changed: dbt's own checksum of its file, and the macros that it calls."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import Final

from bot.payloads.dbt_document import as_map, as_text, as_texts

OWN_PACKAGES: Final = frozenset({"dbt"})  # with dbt_<adapter>: they change with dbt's version only
LENGTH: Final = 32  # hex digits kept; two versions of one node never meet by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """A macro: the digest of its text, and the macros that it calls."""

    digest: bytes
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a node is made of: dbt's checksum of its file, and the macros that it calls."""

    checksum: str
    calls: tuple[str, ...]


def macro_of(entry: Mapping[str, object]) -> Macro:
    """Read one macro of a manifest."""
    return Macro(digest=_digest(as_text(entry.get("macro_sql")) or ""), calls=_calls(entry))


def code_of(entry: Mapping[str, object]) -> Code | None:
    """Read what a node is made of; None when dbt gives no checksum, as for sources."""
    own = as_text(as_map(entry.get("checksum")).get("checksum"))
    return Code(checksum=own, calls=_calls(entry)) if own else None


def _calls(entry: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(intern(one) for one in as_texts(as_map(entry.get("depends_on")).get("macros")))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


class Checksums:
    """Digests of code; a node whose file is the same differs when a macro that it reaches differs.

    Args:
        macros: the manifest's macros, by their unique id.
        adapter: the manifest's adapter type; the macros that dbt brings along for it are left out.
    """

    def __init__(self, macros: Mapping[str, Macro], adapter: str | None) -> None:
        left_out = OWN_PACKAGES | {f"dbt_{adapter}"}
        self._macros = {
            one: macro for one, macro in macros.items() if _package(one) not in left_out
        }
        self._reached: dict[str, frozenset[str]] = {}

    def of(self, code: Code | None) -> str | None:
        """Return the digest of a node's code; None for None."""
        if code is None:
            return None
        digest = hashlib.sha256(code.checksum.encode("utf-8", "replace"))
        for macro in sorted(set().union(*(self._reach(one) for one in code.calls))):
            digest.update(self._macros[macro].digest)
        return f"sha256:{digest.hexdigest()[:LENGTH]}"

    def _reach(self, macro: str) -> frozenset[str]:
        """The macro and every macro that it calls, at any distance, without those that dbt brings along."""
        if macro not in self._reached:
            found: set[str] = set()
            waiting = [macro]
            while waiting:
                one = waiting.pop()
                if one in self._macros and one not in found:
                    found.add(one)
                    waiting.extend(self._macros[one].calls)
            self._reached[macro] = frozenset(found)
        return self._reached[macro]


def _package(macro: str) -> str:
    return "".join(macro.split(".")[1:2])
