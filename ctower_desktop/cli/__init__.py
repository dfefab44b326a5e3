"""The command line: every way to start the tower or to ask it something from a terminal."""
