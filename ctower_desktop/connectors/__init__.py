"""Where it comes from: Chatwoot, Linear and Attio into the rooms, contacts out to Loops."""
