"""What is being sold: companies, people, deals, notes, tasks, accounts, opportunities."""
