"""The programs of the hall; they know nothing of runbooks, and need Python alone."""
