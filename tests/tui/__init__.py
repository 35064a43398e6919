"""The dashboard, fed by an engine without processes."""
