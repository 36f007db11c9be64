"""Whether intentions can still enroll learners."""
