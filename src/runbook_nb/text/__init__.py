"""How a value is written out: durations, numbers, harmless text, whole files."""
