"""HTTP: the API, the live updates and the console's files."""
