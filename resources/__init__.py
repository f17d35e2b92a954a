"""What the programs read at run time: messages, icons, fonts, help and samples."""
