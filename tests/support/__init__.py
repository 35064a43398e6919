"""What the tests share: a real terminal, the process table, hard programs to run, application folders."""
