"""A program that ends with a traceback when it is told to: for want of the variable whose name it reads from a FIFO.

python dier.py FIFO
"""

import os
import sys

if __name__ == "__main__":
    with open(sys.argv[1]) as fifo:
        os.environ[fifo.readline().strip()]
