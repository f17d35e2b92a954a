"""Intel in from files of other people's making, and out again."""
