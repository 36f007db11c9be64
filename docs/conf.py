"""How `make docs` builds these pages. Nothing is fetched from anywhere: what is linked is in this repository."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "_ext"))

project = "enterprise-access"
copyright = "the contributors of enterprise-access"
author = "the contributors of enterprise-access"
extensions = ["two_readers"]
exclude_patterns = ["_build"]

# Commands are shown as they are typed: two dashes stay two dashes.
smartquotes = False
highlight_language = "none"
# A name that nothing answers to is a mistake, and so is a link that leads nowhere.
nitpicky = True

html_theme = "furo"
html_title = "enterprise-access"
html_show_copyright = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]
