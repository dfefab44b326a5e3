"""The HTTP doors: server, limits, dialects, streams, OpenAPI."""
