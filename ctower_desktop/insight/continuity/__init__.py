"""From what was sold or promised to the work that delivers it."""
