"""Whether a node's code changed: dbt's own checksum of its file, and the macros that it calls."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from bot.payloads.dbt_document import as_map, as_text, as_texts

OWN_PACKAGES: Final = frozenset({"dbt"})  # with dbt_<adapter>: they change with dbt's version only
LENGTH: Final = 32  # hex digits kept; two versions of one node never meet by chance


class Checksums:
    """Digests of nodes; a node whose file is the same differs when a macro that it reaches differs.

    Args:
        macros: the manifest's macros, by their unique id.
        adapter: the manifest's adapter type; the macros that dbt brings along for it are left out.
    """

    def __init__(self, macros: Mapping[str, object], adapter: str | None) -> None:
        self._macros = macros
        self._left_out = OWN_PACKAGES | {f"dbt_{adapter}"}
        self._reached: dict[str, frozenset[str]] = {}
        self._digests: dict[str, str] = {}

    def of(self, entry: Mapping[str, object]) -> str | None:
        """Return the digest of a node's entry; None when dbt gives none, as for sources."""
        own = as_text(as_map(entry.get("checksum")).get("checksum"))
        if own is None:
            return None
        used = self._used(as_map(entry.get("depends_on")))
        digest = hashlib.sha256(own.encode("utf-8", "replace"))
        for macro in sorted(set().union(*(self._reach(one) for one in used))):
            digest.update(self._digest(macro).encode())
        return f"sha256:{digest.hexdigest()[:LENGTH]}"

    def _used(self, depends_on: Mapping[str, object]) -> tuple[str, ...]:
        """Macros of the project and its packages, without those that dbt brings along."""
        return tuple(
            macro
            for macro in as_texts(depends_on.get("macros"))
            if macro in self._macros and _package(macro) not in self._left_out
        )

    def _reach(self, macro: str) -> frozenset[str]:
        """The macro and every macro that it calls, at any distance."""
        known = self._reached.get(macro)
        if known is not None:
            return known
        found = {macro}
        waiting = [macro]
        while waiting:
            entry = as_map(self._macros.get(waiting.pop()))
            fresh = set(self._used(as_map(entry.get("depends_on")))) - found
            found |= fresh
            waiting.extend(fresh)
        self._reached[macro] = frozenset(found)
        return self._reached[macro]

    def _digest(self, macro: str) -> str:
        if macro not in self._digests:
            text = as_text(as_map(self._macros.get(macro)).get("macro_sql")) or ""
            self._digests[macro] = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        return self._digests[macro]


def _package(macro: str) -> str:
    return "".join(macro.split(".")[1:2])
