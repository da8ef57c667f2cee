"""The ledger of the bound: log p(x), ELBO and the divergences between them, as bars that add up."""

from explorer.views.ledger.panel import FOLLOWS, LedgerPanel, Remarks

__all__ = ["FOLLOWS", "LedgerPanel", "Remarks"]
