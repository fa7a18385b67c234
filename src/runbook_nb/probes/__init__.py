"""What runbooks call: probes, actions, the limits of answers, and the connections they use."""
