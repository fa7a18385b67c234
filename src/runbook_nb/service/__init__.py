"""The service: alerts come in, orders are kept and worked off."""
