"""What the pages read: from the upstream services, and what is remembered of their answers."""
