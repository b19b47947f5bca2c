"""The papers that leave the house as PDF: the letter to the citizen, the receipt. Signed, and checked by whoever holds one.

`seals` signs and checks, `letters` and `receipts` say what is on a paper, `sheet` draws it, in a process of its own
(`worker`) that `press` starts when it is needed.
"""
