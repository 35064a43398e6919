"""procdeck beside honcho, like for like; what is meant to differ stands in docs/compat.md."""
