"""Which learners are to be evaluated: asking for it, and the rows that wait."""
