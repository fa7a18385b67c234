"""A PostgreSQL of our own in a folder: its programs, its cluster, its process, and its end."""
