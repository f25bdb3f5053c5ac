"""The page: one self-contained HTML file made from the folder of tables."""

from twinbench.report.page.building import build_page

__all__ = ["build_page"]
