"""A VAE in JAX, as its own manual would write it: many steps of Adam in one jitted `lax.scan`.

Run by the environment of the peers, not by the project's: `python jax_scan.py IMAGES.npy WIDTHS THREADS`.  For each
line on its input, a number of seconds, it trains so long and prints images a second.
"""

# mypy: ignore-errors
import os
import sys
import time
from itertools import pairwise

path, widths_text, threads_text = sys.argv[1:4]
THREADS = int(threads_text)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
if THREADS == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402 - it reads its environment when it is imported
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

LATENT, BATCH = 2, 128
RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
CHUNK_S = 0.03

images = np.load(path)
data = jnp.asarray(images.reshape(len(images), -1))
hidden = [int(width) for width in widths_text.split("-")]
pixels = data.shape[1]
source = np.random.default_rng(0)


def layers(widths):
    """Return weights and biases between these widths."""
    return [
        (jnp.asarray(source.normal(0.0, (2.0 / a) ** 0.5, (a, b)), jnp.float32), jnp.zeros(b, jnp.float32))
        for a, b in pairwise(widths)
    ]


def through(part, value):
    """Return the last layer's outputs."""
    for weight, bias in part[:-1]:
        value = jax.nn.relu(value @ weight + bias)
    weight, bias = part[-1]
    return value @ weight + bias


def loss(weights, x, noise):
    """Return minus the ELBO, and what a run reports of it."""
    head = through(weights["encoder"], x)
    mean, log_var = head[:, :LATENT], head[:, LATENT:]
    logits = through(weights["decoder"], mean + jnp.exp(0.5 * log_var) * noise)
    nll = (jax.nn.softplus(logits) - x * logits).sum(axis=1).mean()
    kl = (0.5 * (mean**2 + jnp.exp(log_var) - 1.0 - log_var)).mean(axis=0)
    return nll + kl.sum(), (nll, kl)


def step(state, given):
    """Take one step of Adam."""
    weights, first, second, count = state
    indices, key = given
    x = data[indices].astype(jnp.float32) / 255.0
    noise = jax.random.normal(key, (BATCH, LATENT))
    (_, reported), gradient = jax.value_and_grad(loss, has_aux=True)(weights, x, noise)
    count = count + 1.0
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1.0 - BETA_1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA_2 * v + (1.0 - BETA_2) * g * g, second, gradient)
    bias_1, bias_2 = 1.0 - BETA_1**count, 1.0 - BETA_2**count
    weights = jax.tree.map(
        lambda w, m, v: w - RATE * (m / bias_1) / (jnp.sqrt(v / bias_2) + EPSILON), weights, first, second
    )
    return (weights, first, second, count), reported


chunk = jax.jit(lambda state, indices, keys: jax.lax.scan(step, state, (indices, keys)), donate_argnums=0)
weights = {
    "encoder": layers([pixels, *hidden, 2 * LATENT]),
    "decoder": layers([LATENT, *reversed(hidden), pixels]),
}
state = (weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)), jnp.float32(0.0))
key = jax.random.PRNGKey(0)


def take(state, num_steps, key):
    """Take a chunk of steps and wait for it."""
    indices = jnp.asarray(source.integers(0, len(images), (num_steps, BATCH)))
    state, reported = chunk(state, indices, jax.random.split(key, num_steps))
    jax.block_until_ready(reported)
    return state


# As many steps a chunk as fit in the time that the program's own chunks take.
state = take(state, 8, key)
began = time.perf_counter()
state = take(state, 8, key)
num_steps = max(1, round(8 * CHUNK_S / (time.perf_counter() - began)))
state = take(state, num_steps, key)
print(f"jax {jax.__version__}, {num_steps} steps a call", flush=True)
for line in sys.stdin:
    seconds, began, steps, now = float(line), time.perf_counter(), 0, 0.0
    while now < seconds:
        key, own = jax.random.split(key)
        state = take(state, num_steps, own)
        steps += num_steps
        now = time.perf_counter() - began
    print(steps * BATCH / now, flush=True)
