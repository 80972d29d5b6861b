"""Sources: each reads facts from one system; what cannot be read becomes a hole that says why."""
