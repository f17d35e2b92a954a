"""The window: Qt widgets over the services of app. Nothing is computed here."""
