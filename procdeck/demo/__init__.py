"""Small programs that give procdeck something worth looking at, and the Procfile that runs them.

Each is one module that needs only the standard library, started as `python -m procdeck.demo.web` and so on. They know
nothing of procdeck: any process manager can run them, and what the dashboard shows of them it shows of any program.
"""

from pathlib import Path

PROCFILE = Path(__file__).with_name("Procfile.sample")
"""The Procfile of the demo."""
