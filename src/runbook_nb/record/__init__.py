"""What happened: a closed incident made readable, provable and findable."""
