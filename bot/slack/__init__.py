"""The Slack edge: listeners parse and hand over, the outbox is the only caller of chat methods."""
