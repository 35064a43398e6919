"""The parts of the screen. They draw, and post messages; they know no screen and ask no engine."""
