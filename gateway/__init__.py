"""The one HTTP door: checks what comes in, files submissions on the broker, asks the services for the rest."""
