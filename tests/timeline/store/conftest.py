"""A real PostgreSQL, with a store of its own for each test."""

from store_server import empty, server, store

__all__ = ["empty", "server", "store"]
