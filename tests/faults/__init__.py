"""Everything that can go wrong with the processes themselves: who dies, who will not die, who dies at once."""
