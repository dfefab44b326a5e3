"""The demo agency and its stand-in vendors: what the tests, the demo and the benchmark talk to.

    chatwoot = Chatwoot(clock)                      # state in memory; the clock is given
    inbox = chatwoot.add_inbox("Site")              # methods change the state
    chatwoot.faults.rate_limit(2, on="/messages")   # what goes wrong next
    async with hosted(chatwoot=chatwoot) as urls:   # a real port on loopback
        ...
    chatwoot.front.count("/messages")               # how often it was asked

`hosted_aside` does the same on a thread of its own, `python -m ctower_desktop.sandbox` as another process.
"""
