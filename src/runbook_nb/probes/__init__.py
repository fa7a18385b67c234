"""What runbooks call: probes and actions, the limits of their answers, and the connections they use."""
