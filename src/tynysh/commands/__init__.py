"""What the commands of `tynysh` do: one file for each group."""
