"""What operators do: pausing, pruning."""
