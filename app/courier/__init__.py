"""What carries a package: folders, drives, drops. Moves finished files, knows nothing of what is in them."""
