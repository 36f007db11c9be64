"""Taking over intentions and learners that exist already."""
