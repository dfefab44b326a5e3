"""Revenue, delivery and communication in figures, down to their evidence."""
