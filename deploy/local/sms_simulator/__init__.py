"""A stand-in for the SMS provider and the phones behind it.

It speaks Kavenegar's HTTP API (paths, envelope, codes, limits), carries messages to simulated handsets in steps,
calls the office's webhooks, and fails, delays or loses messages on demand. For the run without containers, for the demo
and for tests; never part of a deployment that serves people.
"""
