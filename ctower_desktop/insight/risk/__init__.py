"""How healthy a project is, and what threatens it."""
