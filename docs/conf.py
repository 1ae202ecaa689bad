"""The site's settings: `python -m sphinx -W docs site/html` builds it, without a network."""

from __future__ import annotations

import sys
from pathlib import Path

from django.conf import settings as django_settings

sys.path.insert(0, str(Path(__file__).parent))  # for the extensions beside this file

import envelope

project = "envelope"
author = "The authors of envelope"
copyright = author
version = release = envelope.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_click",
    "sphinx_copybutton",
    "docstrings",
]
exclude_patterns = ["**/README.md"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
suppress_warnings = [
    "misc.highlighting_failure",  # a document that was cut is shown as it is
    "ref.python",  # a name in a signature that several doors offer: any of them will do
]

smartquotes = False  # -- is an option, and quotes are a shell's

html_theme = "furo"
html_title = "envelope"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "../envelope/gateway/pages/static/favicon.svg"
html_show_copyright = False
html_copy_source = False  # pages are few and short; their sources are in the repository
html_show_search_summary = False  # it would fetch each page, which browsers refuse for files
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

default_role = "py:obj"  # `name` in a docstring: a link if it is a name of this module, else as it stands
autodoc_default_options = {"members": True, "undoc-members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_mock_imports = ["pyspark"]  # the extra docs does without it, and so the site is the same with it
python_maximum_signature_line_length = 80
if not django_settings.configured:
    django_settings.configure()  # whoever looks at a module that imports Django's settings reads them
