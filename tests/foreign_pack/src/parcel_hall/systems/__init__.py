"""What the hall's runbooks may ask and change, a package a system."""
