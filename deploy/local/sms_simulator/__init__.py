"""A stand-in for the SMS provider and the phones behind it.

It speaks Kavenegar's HTTP API (paths, envelope, codes, limits), carries messages to pretended handsets in steps,
calls the office's webhooks, and can be told to fail, delay or lose. For the run without containers, for the demo
and for tests; never part of a deployment that serves people.
"""
