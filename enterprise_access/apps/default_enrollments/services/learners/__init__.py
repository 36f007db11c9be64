"""One learner: status, explanation, and changes that the platform reports."""
