"""What is being said: contacts, conversations, messages."""
