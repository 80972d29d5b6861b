"""Incidents of pipelines the engine has never met, made from the contract alone; how right it is on them."""

from benchmarks.strangers.command import main

__all__ = ["main"]
