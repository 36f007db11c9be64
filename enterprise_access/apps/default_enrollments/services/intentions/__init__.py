"""What staff want every learner of a customer to start with."""
