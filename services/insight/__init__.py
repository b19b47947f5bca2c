"""Insight: hears every event and answers with figures."""
