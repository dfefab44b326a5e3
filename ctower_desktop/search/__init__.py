"""Finding it again, with evidence: words, vectors, ranking, answers."""
