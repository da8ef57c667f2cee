"""The terms of the identity: how each is written, in which colour it is drawn, what it is."""

from dataclasses import dataclass

from core.findings.ledger import Ledger
from explorer.views.formula import Run

LOG_PX, ELBO, KL_TO_POSTERIOR, EXPECTED, KL_TO_PRIOR = "log_px", "elbo", "kl_to_posterior", "expected", "kl_to_prior"


@dataclass(frozen=True, slots=True)
class Term:
    """A term: its runs of text, the palette's colour of its letters and bar, and a sentence."""

    key: str
    plain: str
    """Name for screen readers, the clipboard and narrow bars."""
    runs: tuple[Run, ...]
    colour: str
    tip: str

    def value(self, ledger: Ledger) -> float | None:
        """Return the term's nats."""
        return {
            LOG_PX: ledger.log_px,
            ELBO: ledger.elbo,
            KL_TO_POSTERIOR: ledger.kl_to_posterior,
            EXPECTED: ledger.expected_log_likelihood,
            KL_TO_PRIOR: ledger.kl_to_prior,
        }[self.key]


def _it(text: str) -> Run:
    return Run(text, italic=True)


def _sub(text: str) -> Run:
    return Run(text, italic=True, lowered=True)


def _kl(left: tuple[Run, ...], right: tuple[Run, ...]) -> tuple[Run, ...]:
    return (Run("KL("), *left, Run(" ‖ "), *right, Run(")"))


_GIVEN_X = (_it("z"), Run("|"), _it("x"), Run(")"))
_POSTERIOR = (_it("p"), Run("("), *_GIVEN_X)
_PRIOR = (_it("p"), Run("("), _it("z"), Run(")"))

TERMS = {
    term.key: term
    for term in (
        Term(
            LOG_PX,
            "log p(x)",
            (Run("log "), _it("p"), Run("("), _it("x"), Run(")")),
            "text",
            "log p(x): how probable the model finds this image, summed over all codes.  Nats; larger is better.",
        ),
        Term(
            ELBO,
            "ELBO",
            (Run("ELBO"),),
            "accent",
            "The evidence lower bound: what training raises.  It lies below log p(x) by the divergence beside it.",
        ),
        Term(
            KL_TO_POSTERIOR,
            "KL(q ‖ p(z|x))",
            _kl((_it("q"),), _POSTERIOR),
            "density",
            "How far the encoder's q(z|x) is from the true posterior p(z|x); zero where they are the same.",
        ),
        Term(
            EXPECTED,
            "E_q[log p(x|z)]",
            (Run("E", bold=True), _sub("q"), Run("[log "), _it("p"), Run("("), _it("x"), Run("|"), _it("z"), Run(")]")),
            "success",
            "The expected log-likelihood: how well codes drawn from q(z|x) decode to this image.",
        ),
        Term(
            KL_TO_PRIOR,
            "KL(q ‖ p(z))",
            _kl((_it("q"),), _PRIOR),
            "prior",
            "What the code costs: how far q(z|x) is from the prior p(z) = N(0, I).",
        ),
    )
}
CONDITIONALS = (
    Run("∑"),
    _sub("i"),
    Run(" log "),
    _it("p"),
    Run("("),
    _it("x"),
    _sub("i"),
    Run(" | "),
    _it("x"),
    _sub("<i"),
    Run(")"),
)
"""What log p(x) of an autoregressive model is the sum of."""
