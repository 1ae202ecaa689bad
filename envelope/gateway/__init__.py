"""A gateway of one's own: accounts with balances, in front of upstreams. The extra ``gateway`` installs what it needs.

`envelope.gateway.stores`     where the books are kept: transactions on SQLite
`envelope.gateway.books`      the rules of the books: who may call, what a call costs, who has paid
`envelope.gateway.operation`  new settings in place, draining, workers, metrics
`envelope.gateway.vault`      callers' secrets, encrypted at rest
"""
