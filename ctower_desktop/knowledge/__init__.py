"""Room: the graph of the business: things, what is said of them, and which rows say so."""
