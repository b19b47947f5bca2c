"""SMS and the in-app inbox: tells citizens and staff what has happened, and hears SMS replies."""
