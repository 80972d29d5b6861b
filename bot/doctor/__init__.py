"""Tries everything the bot depends on, live, and says what to fix first."""
