"""What is being sold: companies, people, deals, notes, tasks, and the accounts and opportunities made of them."""
