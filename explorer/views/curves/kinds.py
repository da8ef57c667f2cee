"""What the curves of each kind of model are, in words."""

from core.config import ModelConfig
from explorer.views.curves.controls import ALL
from explorer.views.curves.quantities import ELBO, NLL

_NAMES = {
    "autoencoder": "an autoencoder",
    "denoising_autoencoder": "a denoising autoencoder",
    "sparse_autoencoder": "a sparse autoencoder",
    "made": "MADE, which has no latent code",
}
_NLL_HELP = {
    "iwae": "Minus the log-likelihood of the picture given a code drawn from q(z|x), a mean over the k codes of each "
    "picture; smaller is better.",
    "autoencoder": "Minus the log-likelihood of the picture given its code: what the reconstruction costs; smaller is "
    "better.",
    "denoising_autoencoder": "Minus the log-likelihood of the clean picture given the code of a corrupted one; smaller "
    "is better.",
    "sparse_autoencoder": "Minus the log-likelihood of the picture given its code, without the price of active units; "
    "smaller is better.",
    "made": "−log p(x), exact: the sum of −log p(xᵢ | x₁ … xᵢ₋₁) over all pixels; smaller is better.",
}
_ELBO_HELP = {
    "iwae": f"{ELBO.help}  IWAE maximises a bound that lies above it.",
}
_CAPTIONS = {
    (ELBO.name, "iwae"): "IWAE maximises a bound above this one",
    (NLL.name, "made"): "exact −log p(x)",
    (NLL.name, "denoising_autoencoder"): "of the clean image, from a corrupted one",
    (NLL.name, "sparse_autoencoder"): "without the price of active units",
}


def undefined_for(model: ModelConfig) -> str:
    """Return for what the quantities that need a prior are not defined; empty for a model that has one."""
    return "" if model.has_prior else f"not defined for {_NAMES[model.model]}"


def help_for(model: ModelConfig) -> dict[str, str]:
    """Return what the quantities are whose meaning depends on the kind of model, by their names."""
    return {ELBO.name: _ELBO_HELP.get(model.model, ELBO.help), NLL.name: _NLL_HELP.get(model.model, NLL.help)}


def caption_for(model: ModelConfig, quantity: str) -> str:
    """Return what stands beside the legend while a quantity is shown; empty where its name says all."""
    if quantity == ALL:
        return "; ".join(text for (_, kind), text in _CAPTIONS.items() if kind == model.model)
    return _CAPTIONS.get((quantity, model.model), "")
