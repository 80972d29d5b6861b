"""bot tells people and keeps the record: alerts in, cards and pages out, every step stored."""
