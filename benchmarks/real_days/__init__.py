"""Faults put into real days of real counts: how right the engine is where nobody made the noise."""

from benchmarks.real_days.command import main

__all__ = ["main"]
