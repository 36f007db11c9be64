"""Background jobs that people start and watch: with progress, a result for each row, and a way to cancel and resume."""
