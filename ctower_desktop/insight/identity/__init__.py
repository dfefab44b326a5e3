"""Which contact, company and delivery project are the same client."""
