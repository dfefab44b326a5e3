"""Who may come in: users, sessions, API keys, audit trail."""
