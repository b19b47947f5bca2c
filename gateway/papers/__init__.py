"""Papers as PDF: the letter to the citizen and the receipt. Signed, and verifiable by whoever holds one.

`issuing` is what the API and the pages call. `letters` and `receipts` compose the text of a paper, `signatures` makes and
verifies the line that is printed on it, and `pdf_layout` renders it, in a process of its own (`worker`) that `pdf_queue` starts.
"""
