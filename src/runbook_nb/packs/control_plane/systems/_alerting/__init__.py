"""What the systems of alerting share: rules, past pages, and what today's rules make of them."""
