"""One reading of a runbook: its document, steps, parameters and pair, and the catalogue of all."""
