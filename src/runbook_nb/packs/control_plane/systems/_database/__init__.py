"""What several systems need of the database."""
