"""The ways a message leaves: e-mail, Chatwoot, Telegram, Loops; each hands it over once."""
