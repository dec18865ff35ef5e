"""What is written about a run: an entry per picture as JSON, the pictures beside it, and one page of HTML.

Reading order: ``document`` (a picture's entry, report.json), ``evidence`` (pictures), ``page``
and ``review_page`` (HTML).
"""
