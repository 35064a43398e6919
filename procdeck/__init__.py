"""procdeck runs a Procfile's process formation on one machine and shows it live in the terminal.

`procdeck.core` is the engine (usable on its own as a library), `procdeck.tui` the dashboard, `procdeck.cli` the
command.
"""

__version__ = "0.1.0"
