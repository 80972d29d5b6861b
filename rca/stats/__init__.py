"""Numbers in, numbers out: the statistics behind the detectors. Nothing here knows what a case is."""
