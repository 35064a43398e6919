"""What fills the terminal: the main view, help, quitting, and the page for a terminal that is too small."""
