"""Packs: the systems of one platform, for an engine that knows none."""
