"""SMS and the in-app inbox: notifies citizens and staff, and answers inbound texts."""
