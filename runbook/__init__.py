"""runbook decides what to do about a diagnosis: first action, steps, who is told and when."""
