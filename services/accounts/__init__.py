"""Accounts: citizens by one-time code, staff by password and TOTP, and the tokens both come away with."""
