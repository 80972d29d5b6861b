"""What alerts say: one file per format, each ending in ``FORMAT``; ``registry`` finds them."""
