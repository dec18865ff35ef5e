"""Room: what a text says of hands, and wordings that leave nothing about them open.

Read ``expectation`` (the values), ``prompt_text`` (a prompt without a tool's syntax), ``contact`` and
``mentions`` (its clauses), ``parse`` (from a prompt to what it expects), ``suggestions`` and ``plan`` (what
it leaves open).
"""
