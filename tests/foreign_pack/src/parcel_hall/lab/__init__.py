"""The hall on this machine, to be broken on purpose."""
