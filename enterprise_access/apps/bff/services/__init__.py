"""Loading a page of the learner portal."""
