"""What we hold: import, accept, search, versions and conflicts, handling, export."""
