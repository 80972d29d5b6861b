"""A case read once: typed readings that every detector shares, limited to what was known at ``as_of``."""

from rca.view.case_view import CaseView, view_of

__all__ = ["CaseView", "view_of"]
