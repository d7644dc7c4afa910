"""What the processes of an installation say to each other."""
