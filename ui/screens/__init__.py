"""The screens: each shows one place, asks the services for what it shows, and tells what it changed."""
