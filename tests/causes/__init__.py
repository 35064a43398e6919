"""Causes of crashes, provoked for real with real programs."""
