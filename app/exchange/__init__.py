"""The exchange with counterparts: cards, channel, gate, releases, inbox, receipts, ledger."""
