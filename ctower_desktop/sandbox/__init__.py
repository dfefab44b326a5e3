"""The demo agency and its stand-in vendors: what the tests, the demo and the benchmark talk to."""
