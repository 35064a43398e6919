"""Real programs that crash, in each language that is on the machine."""
