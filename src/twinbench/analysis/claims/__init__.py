"""Claims that people make about Sequential and Functional, and the verdicts that the tables give on them.

One module per family of claims holds its rule; `deciding` lists the claims and makes the table, `answer` the lines
at the top of the page.
"""

from twinbench.analysis.claims.answer import CHECK, SEQUENTIAL, Answer, answer
from twinbench.analysis.claims.deciding import CLAIMS, decide_claims

__all__ = ["CHECK", "CLAIMS", "SEQUENTIAL", "Answer", "answer", "decide_claims"]
