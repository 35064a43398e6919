"""`python -m procdeck` is the `procdeck` command."""

from procdeck.cli import main

main()
