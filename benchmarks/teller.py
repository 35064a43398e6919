"""A program that writes a line when it is told to: what it reads from a FIFO, line by line.

python teller.py FIFO
"""

import sys

if __name__ == "__main__":
    with open(sys.argv[1]) as fifo:
        for line in fifo:
            sys.stdout.write(line)
            sys.stdout.flush()
