"""What Peygir carries on one machine, measured: `./peygir bench` (README.md here)."""
