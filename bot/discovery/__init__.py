"""Proposes the catalog: what the sources know is matched, and the proposal is written into people's TOML."""
