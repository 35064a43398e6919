"""What is said about procdeck, measured: `make bench`, or `python -m benchmarks [NAME…] [--quick]`.

Each module measures one claim and gives its findings as `figures.Finding`s; `writer`, `reader`, `teller`, `burner`,
`starts`, `ticker` and `corpus` are the programs that run beside them, `formation` and `dashboard` start procdeck.
Whether anything is right is the tests' matter: only what takes a gigabyte, or a thousand crashes, to see is checked
here too.
"""

from pathlib import Path

REPO = Path(__file__).parent.parent
"""The folder of the project."""
