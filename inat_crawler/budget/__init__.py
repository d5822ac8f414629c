"""The budget: what a service allows, and the ledger of what was used, which all processes share."""
