"""What is being done: issues, cycles, comments."""
