"""What is written about a run: an entry per picture as JSON, the pictures beside it, and one page of HTML.

Reading order: ``record`` (a picture's entry), ``document`` (report.json), ``evidence`` (pictures), ``page``
and ``review_page`` (HTML).
"""
