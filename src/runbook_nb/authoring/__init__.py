"""Write runbooks, hold them to the rules, prove them and keep them true."""
