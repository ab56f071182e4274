"""The run that is started next: the *Train* page, and what it makes of its settings."""
