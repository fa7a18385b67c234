"""Probes and actions, one file a technology or partner."""
