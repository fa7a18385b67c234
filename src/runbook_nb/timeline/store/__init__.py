"""The store: a PostgreSQL of the team, and the timelines that several machines write on."""
