"""Begin a runbook from the template: the pair and its drills."""
