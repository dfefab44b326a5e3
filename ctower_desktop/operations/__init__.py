"""Is it healthy: scheduled jobs and their runs, health, metrics, storage, the stream of events."""
