"""What workflows and their steps are, and what a request to provision a customer says. Pure."""
