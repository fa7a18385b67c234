"""What any team's runbooks ask on the first day: Prometheus, SQL, HTTP, kubectl, a command."""
