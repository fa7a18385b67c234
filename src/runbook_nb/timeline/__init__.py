"""The timeline of an incident, and every question to its events."""
