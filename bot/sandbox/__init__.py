"""A local stand-in for Slack and for the services that page people, with a page that shows it.

It serves the demo and the tests: the real app talks to it over real HTTP or Socket Mode, and it refuses
what Slack refuses. Nothing here runs in production.
"""
