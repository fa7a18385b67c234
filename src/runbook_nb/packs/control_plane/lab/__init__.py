"""The lab: an embedded staging twin of the platform."""
