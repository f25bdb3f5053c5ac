"""Claims that people make about Sequential and Functional, and the verdicts that the tables give on them.

One module per family of claims holds its rule; `deciding` lists the claims and makes the table, `answer` the three
sentences at the top of the page.
"""

from twinbench.analysis.claims.answer import answer
from twinbench.analysis.claims.deciding import CLAIMS, decide_claims

__all__ = ["CLAIMS", "answer", "decide_claims"]
