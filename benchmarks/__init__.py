"""What the documents promise, measured: ``python -m benchmarks NAME``."""
