"""The lab: the queue on this machine, started and broken on purpose."""
