"""The HTTP side: alerts, the diagnostics API, health, the front of Slack's own requests."""
