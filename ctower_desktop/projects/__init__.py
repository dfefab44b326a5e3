"""What is being managed: projects, assignments, account scopes."""
