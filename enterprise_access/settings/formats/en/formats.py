"""One form for instants on all pages, with the zone: TIME_ZONE is UTC. Dates alone stay as they are, for mails."""

DATETIME_FORMAT = r"Y-m-d H:i \U\T\C"
