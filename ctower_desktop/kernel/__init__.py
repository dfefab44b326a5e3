"""What everything stands on: endpoints, database, jobs, settings, errors, outbound HTTP, log."""
