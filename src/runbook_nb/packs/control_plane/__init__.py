"""The pack of the AI Employee Control Plane: its systems, its impact figures and its lab."""
