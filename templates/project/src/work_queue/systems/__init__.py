"""What runbooks may ask and change, a module a system."""
