"""Room: what a prompt states about hands, and wordings that leave nothing about them open.

Read ``expectation`` (the values), ``words`` (all patterns, as data in words.toml), ``prompt_text`` (a prompt
without a tool's syntax), ``contact`` and ``mentions`` (its clauses), ``parse`` (from a prompt to its
expectation), ``suggestions`` and ``plan`` (what it leaves open), ``captions`` and ``subject`` (hands and
people in the words that models learn).
"""

from handwright.prompts.expectation import Contact, Expectation, HandExpectation
from handwright.prompts.parse import parse_prompt
from handwright.prompts.plan import Plan, plan_prompt

__all__ = ["Contact", "Expectation", "HandExpectation", "Plan", "parse_prompt", "plan_prompt"]
