"""What it means: rooms that read meaning out of what the sources say."""
