"""rca decides what happened and how sure we are: a case goes in, a diagnosis comes out; nothing else is read."""
