"""The bodies of the learner portal's pages, by family. `pages.py` puts them together."""
