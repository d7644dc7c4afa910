"""What a site is: its schema, its YAML with line-numbered errors, apply and export."""
