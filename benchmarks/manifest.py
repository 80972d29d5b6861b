"""A dbt manifest of 2,000 models: how long reading it takes, what stays of it, and how long it holds others up.

Each way runs in a process of its own, so that its memory is its own: nothing, ``json.loads`` alone, and the index.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.table import say, say_table
from bot.payloads.dbt_columns import ColumnReader
from bot.payloads.dbt_facts import line_of
from bot.payloads.dbt_manifest import read_manifest

TICK_S = 0.001
NO_READER = "no reader"
WAYS: dict[str, Callable[[bytes], object]] = {
    NO_READER: len,
    "json.loads": json.loads,
    "index": read_manifest,
}


def generated(models: int) -> bytes:
    """Return a manifest of *models* models with two tests each, as dbt writes it: compiled SQL, docs and macros."""
    sources = {
        f"source.shop.raw.t{n}": _table(f"source.shop.raw.t{n}") for n in range(models // 12)
    }
    nodes: dict[str, object] = {}
    for number in range(models):
        unique_id = f"model.shop.m{number}"
        if number < models // 4:
            above = [f"source.shop.raw.t{number % len(sources)}"]
        else:
            above = [f"model.shop.m{number // 2}", f"model.shop.m{number // 3}"]
        nodes[unique_id] = _table(unique_id) | _sql(above) | {"depends_on": _above(above)}
        for test in ("not_null", "unique"):
            test_id = f"test.shop.{test}_m{number}_id.{number:010x}"
            nodes[test_id] = _test(test_id, unique_id)
    macros = {f"macro.dbt.macro_{n}": _macro(f"macro.dbt.macro_{n}") for n in range(1_000)}
    document = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "generated_at": "2026-03-02T07:00:00.000000Z",
            "invocation_id": "4ae2d102-f4be-420d-bf04-4da6a3d34f80",
            "project_name": "shop",
            "adapter_type": "postgres",
        },
        "nodes": nodes,
        "sources": sources,
        "macros": macros,
        "exposures": {},
        "parent_map": {one: node["depends_on"]["nodes"] for one, node in nodes.items()},  # type: ignore[index]  # objects of our own making
    }
    return json.dumps(document).encode()


def _above(nodes: Sequence[str]) -> dict[str, object]:
    return {"macros": ["macro.dbt.macro_1", "macro.dbt.macro_2"], "nodes": list(nodes)}


def _table(unique_id: str) -> dict[str, object]:
    name = unique_id.rpartition(".")[2]
    columns = {f"c{n}": {"name": f"c{n}", "description": "", "meta": {}} for n in range(12)}
    return {
        "unique_id": unique_id,
        "resource_type": unique_id.partition(".")[0],
        "name": name,
        "alias": name,
        "relation_name": f'"shop"."main"."{name}"',
        "checksum": {"name": "sha256", "checksum": f"{hash(name):064x}"},
        "config": {"enabled": True, "tags": [], "meta": {}, "materialized": "table"},
        "description": "What this table is for, in the two sentences that a careful author writes. "
        * 2,
        "columns": columns,
        "depends_on": {"macros": [], "nodes": []},
    }


def _sql(above: Sequence[str]) -> dict[str, object]:
    first = above[0].rpartition(".")[2]
    listed = ",\n".join(f"    first_one.c{n} as c{n}" for n in range(12))
    tables = f'with first_one as (\n    select * from "shop"."main"."{first}"\n)'  # noqa: S608 - a sample
    joins = "".join(
        f'\nleft join "shop"."main"."{one.rpartition(".")[2]}" as more on first_one.c0 = more.c0'
        for one in above[1:]
    )
    text = f"{tables}\nselect\n{listed},\n    sum(c3 * c4) over (partition by c1) as total\nfrom first_one{joins}\n"
    return {"raw_code": text * 4, "compiled_code": text, "language": "sql"}


def _test(test_id: str, model: str) -> dict[str, object]:
    return {
        "unique_id": test_id,
        "resource_type": "test",
        "name": test_id.split(".")[2],
        "attached_node": model,
        "config": {"severity": "ERROR", "tags": [], "meta": {}, "where": None, "limit": None},
        "checksum": {"name": "none", "checksum": ""},
        "compiled_code": f"select id from {model} where id is null " * 40,  # noqa: S608 - a sample
        "description": "",
        "depends_on": _above([model]),
    }


def _macro(unique_id: str) -> dict[str, object]:
    text = "{% macro one(relation) %} select * from {{ relation }} where 1 = 1 {% endmacro %}" * 12
    return {"unique_id": unique_id, "macro_sql": text, "depends_on": {"macros": []}}


async def _measured(way: str, raw: bytes) -> dict[str, float]:
    """Read the file in a thread while a clock ticks; the longest gap between two ticks is what others waited."""
    gaps: list[float] = []

    async def tick() -> None:
        last = perf_counter()
        while True:
            await asyncio.sleep(TICK_S)
            now = perf_counter()
            gaps.append(now - last - TICK_S)
            last = now

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(10 * TICK_S)
    gaps.clear()
    begun = perf_counter()
    kept = await asyncio.to_thread(WAYS[way], raw)
    spent = perf_counter() - begun
    ticking.cancel()
    kept_mib, peak_mib = _memory_mib("VmRSS"), _memory_mib("VmHWM")
    del kept
    return {
        "seconds": spent,
        "longest_wait_ms": max(gaps, default=0.0) * 1e3,
        "peak_mib": peak_mib,
        "kept_mib": kept_mib,
    }


def _memory_mib(line: str) -> float:
    """Memory of this process, in MiB, as Linux counts it."""
    status = Path("/proc/self/status").read_text("utf-8")
    found = next(one for one in status.splitlines() if one.startswith(line))
    return int(found.split()[1]) / 1024


def _columns(raw: bytes) -> tuple[int, float]:
    """How many models' SQL is read for one source, and in how many seconds."""
    project = read_manifest(raw)
    line = line_of(project, "source.shop.raw.t0")
    reader = ColumnReader(project=project, known={})
    begun = perf_counter()
    reader.used(line)
    return len(reader.read_already), perf_counter() - begun


def main(argv: Sequence[str]) -> int:
    """Measure; ``--way`` and ``--file`` are how this program calls itself."""
    parser = argparse.ArgumentParser(prog="benchmarks manifest", description=__doc__)
    parser.add_argument("--models", type=int, default=2_000)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--file", type=Path)
    chosen = parser.parse_args(argv)
    if chosen.way:
        say(json.dumps(asyncio.run(_measured(chosen.way, chosen.file.read_bytes()))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.json"
        raw = generated(chosen.models)
        path.write_bytes(raw)
        say(
            f"{chosen.models} models, {len(read_manifest(raw).nodes)} nodes, {len(raw) / 1e6:.1f} MB\n"
        )
        found = {way: _alone(way, path) for way in WAYS}
    empty = found[NO_READER]
    say_table(
        ("way", "s", "longest wait of others, ms", "peak, MiB", "kept, MiB"),
        [
            (
                way,
                f"{one['seconds']:.2f}",
                f"{one['longest_wait_ms']:.0f}",
                f"{one['peak_mib'] - empty['peak_mib']:.0f}",
                f"{one['kept_mib'] - empty['kept_mib']:.0f}",
            )
            for way, one in found.items()
        ],
    )
    count, spent = _columns(raw)
    say(f"columns used by the {count} models on one source: {spent:.2f} s, once per manifest")
    return 0


def _alone(way: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.manifest", "--way", way, "--file", str(path)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own program
    found: dict[str, float] = json.loads(ran.stdout.strip().splitlines()[-1])
    return found


if __name__ == "__main__":  # by itself, so that no other benchmark's memory is measured
    raise SystemExit(main(sys.argv[1:]))
