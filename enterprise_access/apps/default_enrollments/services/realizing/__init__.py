"""One evaluation: facts, plan, enrollment, record."""
