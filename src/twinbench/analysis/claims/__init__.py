"""Claims that people make about Sequential and Functional, and the verdicts that the tables give on them.

One module per family of claims holds its rule; `deciding` lists the claims and makes the table, `answer` the lines
at the top of the page; of models of a person's own `own_models` makes them.
"""

from twinbench.analysis.claims.answer import Answer, answer
from twinbench.analysis.claims.deciding import CLAIMS, decide_claims
from twinbench.analysis.claims.own_models import OwnModelsAnswer

__all__ = ["CLAIMS", "Answer", "OwnModelsAnswer", "answer", "decide_claims"]
