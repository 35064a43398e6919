"""procdeck beside those that do the same: `make bench-peers`, or `python -m benchmarks peers [QUESTION…] [--quick]`.

Each module asks one question of all that are here and gives a `tables.Table`; `known` tells how each peer is told its
job, `run` runs one and minds what belongs to it, `install` brings them. Peers that are not here are named and left out.
"""
