"""The only place with threads of its own and with torch."""
