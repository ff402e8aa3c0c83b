"""Turns a document into a mail: HTML and text with tokens for personal values, and the findings of its checks. Pure."""

from newsletter.rendering.errors import MergeError, MissingValue, RenderingError, TemplateError, TokenLost
from newsletter.rendering.fragments import Fragments, split
from newsletter.rendering.lint.checks import check
from newsletter.rendering.lint.findings import Finding
from newsletter.rendering.mail import RenderedMail, hash_mail
from newsletter.rendering.pipeline import render
from newsletter.rendering.tokens import Variable
from newsletter.rendering.values import Values, plan_values, values_for

__all__ = [
    "Finding",
    "Fragments",
    "MergeError",
    "MissingValue",
    "RenderedMail",
    "RenderingError",
    "TemplateError",
    "TokenLost",
    "Values",
    "Variable",
    "check",
    "hash_mail",
    "plan_values",
    "render",
    "split",
    "values_for",
]
