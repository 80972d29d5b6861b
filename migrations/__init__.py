"""The database's history, one step per file; run by ``bot.store.migrate``."""
