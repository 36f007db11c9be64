"""What the pages read: from the neighbours, and what is remembered of their answers."""
