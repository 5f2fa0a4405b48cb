"""Layouts of the same work side by side: what each saves and costs, and which differences chance would make too."""

from gridtwin.compare.layout.content import layout_content, layout_sheets
from gridtwin.compare.layout.layouts import Layouts, layouts

__all__ = ["Layouts", "layout_content", "layout_sheets", "layouts"]
