"""What can be chosen by name in an experiment; each name is bound to code by a registry.  Free of torch."""

from core.settings import Choice

MODELS = (
    Choice("vae", "VAE", "Variational auto-encoder: maximises the evidence lower bound on log p(x)."),
    Choice(
        "iwae",
        "IWAE",
        "Importance-weighted auto-encoder: the same model, trained on a bound that tightens with every sample.",
    ),
    Choice("autoencoder", "Autoencoder", "Plain autoencoder: minimises the reconstruction cost; it defines no p(x)."),
    Choice(
        "denoising_autoencoder",
        "Denoising autoencoder",
        "Reconstructs an image from a corrupted copy of it, so that codes do not hang on single pixels.",
    ),
    Choice(
        "sparse_autoencoder",
        "Sparse autoencoder",
        "Reconstruction plus a price on active code units, so that each image uses few of them.",
    ),
    Choice(
        "made",
        "MADE (autoregressive)",
        "Predicts each pixel from those before it; its log p(x) is exact, and it has no latent code.",
    ),
)
NETWORKS = (
    Choice("mlp", "MLP", "Fully connected layers."),
    Choice("conv", "Convolutional", "Strided convolutions in the encoder, transposed ones in the decoder."),
)
LIKELIHOODS = (
    Choice("bernoulli", "Bernoulli", "Each pixel is 0 or 1; the decoder gives the logit of P(pixel = 1 | z)."),
    Choice(
        "categorical",
        "Categorical",
        "Each pixel is one of V grey levels; the decoder gives a softmax over them.",
    ),
    Choice("gaussian", "Gaussian", "Each pixel is normal about the decoder's mean; a density, not a mass."),
    Choice(
        "continuous_bernoulli",
        "Continuous Bernoulli",
        "A density on [0, 1] with Bernoulli's form and the constant that makes it integrate to one.",
    ),
)
VARIANCES = (
    Choice("fixed", "fixed σ", "The pixels' standard deviation is the one that is set."),
    Choice("global", "one learned σ", "One standard deviation for all pixels, learned with the weights."),
    Choice("per_pixel", "σ per pixel", "The decoder gives a standard deviation for each pixel."),
)
POSTERIORS = (
    Choice("factorised", "Factorised", "A Gaussian with independent dimensions: q(z|x) = N(mean, diag(exp(log_var)))."),
    Choice("full", "Full covariance", "A Gaussian whose dimensions may depend on each other: q(z|x) = N(mean, L Lᵀ)."),
)
SPARSITIES = (
    Choice("kl", "KL to ρ", "Sigmoid units; the price is KL(ρ ‖ mean activation), summed over the units."),
    Choice("l1", "L1", "Linear units; the price is the sum of their absolute values."),
)
CORRUPTIONS = (
    Choice("gaussian", "Gaussian noise", "Adds normal noise of standard deviation σ to every pixel."),
    Choice("dropout", "dropped pixels", "Sets each pixel to black with a probability: the rate."),
)
ORDERINGS = (
    Choice("raster", "raster", "Row by row from the top left."),
    Choice("random", "random", "One random order of the pixels, drawn from the ordering's seed."),
)
ACTIVATIONS = (
    Choice("relu", "ReLU", "max(0, x)."),
    Choice("gelu", "GELU", "x times the normal distribution function of x (tanh form); smooth."),
    Choice("tanh", "tanh", "Hyperbolic tangent; the choice of the first VAE papers."),
)
BINARISATIONS = (
    Choice(
        "dynamic",
        "dynamic",
        "Each pixel is drawn anew with its grey level as probability whenever an image is seen.",
    ),
    Choice("fixed", "fixed draw", "One draw per image, seeded by its index, the same for ever."),
    Choice("threshold", "threshold at ½", "A pixel is 1 when its grey level is at least one half."),
    Choice("none", "none (grey)", "Grey levels as they are; Bernoulli nats of grey pixels are not a likelihood."),
)
SCHEDULES = (
    Choice("constant", "constant", "The learning rate stays as set."),
    Choice("cosine", "cosine", "The learning rate falls to zero along half a cosine over all epochs."),
    Choice(
        "burda",
        "eight stages",
        "Each stage takes three times the passes of the one before it, at 10^(−1/7) of its rate: from the set learning "
        "rate to a tenth of it.  Burda et al. 2015.",
    ),
)
DEVICES = (
    Choice("auto", "automatic", "CUDA when it is available, else the processor."),
    Choice("cpu", "processor", "Always the processor."),
    Choice("cuda", "CUDA", "A CUDA graphics card; an error if there is none."),
)
PRECISIONS = (
    Choice("float32", "float32", "Single precision everywhere."),
    Choice(
        "bfloat16",
        "bfloat16",
        "The networks' products of numbers with 8 bits, summed in single precision; weights, losses and optimiser stay "
        "in single precision. Up to twice as quick where processor or card has such products (AMX, AVX-512 BF16), "
        "slower where it has not.",
    ),
)
FITS = (
    Choice("fit", "fit", "The whole picture, scaled to fit, on a background of its border's colour."),
    Choice("crop", "crop", "The middle square of the picture, scaled to fill."),
)
