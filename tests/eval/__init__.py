"""The judge of search: how well the right evidence is found for questions about the demo agency."""
