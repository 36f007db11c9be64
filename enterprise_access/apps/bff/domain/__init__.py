"""The rules of the learner portal's pages: which customer is shown, and how enrollments are grouped."""
