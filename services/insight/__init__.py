"""Insight: takes every event and answers with figures."""
