"""Packs: what the engine needs to know of a platform."""
