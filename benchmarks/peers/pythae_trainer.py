"""A VAE of pythae, trained by pythae's own `BaseTrainer` with its own networks' hooks, dataset and callbacks.

Run by the environment of the peers, not by the project's: `python pythae_trainer.py SETTINGS`, where SETTINGS is what
`benchmarks.peers.pythae_settings.Settings` writes.  For each line on its input, a number of seconds, it trains so long
and prints images a second; before that it writes its weights, where it is told to, under the names of the program's
own.  Whatever the trainer does at the end of an epoch (the best model is copied) counts as training.
"""

# mypy: ignore-errors
import json
import sys
import time
from importlib.metadata import version
from itertools import pairwise

import numpy as np
import torch
from pythae.data.datasets import BaseDataset, DatasetOutput
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "gelu": lambda: nn.GELU(approximate="tanh")}
ENDLESS = 100_000
LATENT = 2
VERSION = version("pythae")

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
clock = time.process_time if settings["processor_time"] else time.perf_counter


def dense(widths):
    """Return layers between these widths, each followed by the activation."""
    activation = ACTIVATIONS[settings["activation"]]
    return [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), activation())]


class Encoder(BaseEncoder):
    """Convolutions where there are channels, dense layers, and a head each for mean and log-variance."""

    def __init__(self, pixels, side):
        super().__init__()
        self.latent_dim = LATENT
        channels, width = (1, *settings["channels"]), pixels
        convolutions = []
        for a, b in pairwise(channels):
            convolutions += [nn.Conv2d(a, b, 3, stride=2, padding=1), ACTIVATIONS[settings["activation"]]()]
            side = (side + 1) // 2
            width = b * side * side
        widths = (width, *settings["hidden"])
        self.layers = nn.Sequential(*convolutions, nn.Flatten(), *dense(widths))
        self.embedding = nn.Linear(widths[-1], LATENT)
        self.log_var = nn.Linear(widths[-1], LATENT)

    def forward(self, x):
        """Return q(z|x)."""
        features = self.layers(x)
        return ModelOutput(embedding=self.embedding(features), log_covariance=self.log_var(features))


class Decoder(BaseDecoder):
    """Dense layers, then as many up-scalings as there were convolutions, and a sigmoid."""

    def __init__(self, pixels, side):
        super().__init__()
        self.shape = (1, side, side)
        channels = tuple(reversed(settings["channels"]))
        widths = (LATENT, *reversed(settings["hidden"]))
        if channels:
            small = side // 2 ** len(channels)
            parts = [*dense((*widths, channels[0] * small * small)), nn.Unflatten(1, (channels[0], small, small))]
            for a, b in pairwise(channels):
                parts += [nn.ConvTranspose2d(a, b, 4, stride=2, padding=1), ACTIVATIONS[settings["activation"]]()]
            if settings["plain_upscaling"]:
                parts.append(nn.ConvTranspose2d(channels[-1], 1, 4, stride=2, padding=1))
            else:
                parts += [nn.Conv2d(channels[-1], 4, 3, padding=1), nn.PixelShuffle(2)]
        else:
            parts = [*dense(widths), nn.Linear(widths[-1], pixels)]
        self.layers = nn.Sequential(*parts, nn.Sigmoid())

    def forward(self, z):
        """Return each pixel's probability."""
        return ModelOutput(reconstruction=self.layers(z).reshape(-1, *self.shape))


class Binarised(BaseDataset):
    """Pixels drawn anew each time an image is taken, as pythae's own scripts do for MNIST, with a quicker draw."""

    def __getitem__(self, index):
        """Return zeros and ones."""
        return DatasetOutput(data=torch.bernoulli(self.data[index]), labels=self.labels[index])


class Turns(TrainingCallback):
    """Holds the trainer still between its turns."""

    def on_train_begin(self, training_config, **_):  # noqa: ARG002
        """Say what trains, and wait for the first turn."""
        print(f"pythae {VERSION}, torch {torch.__version__}, batches of {BATCH}", flush=True)
        self.wait()

    def on_train_step_end(self, training_config, **_):  # noqa: ARG002
        """Count, and end the turn when its time is up."""
        self.steps += 1
        now = clock() - self.began
        if now >= self.seconds:
            if settings["weights"]:
                save(settings["weights"])
            print(self.steps * BATCH / now, flush=True)
            self.wait()

    def wait(self):
        """Sleep until the next turn is asked for."""
        line = sys.stdin.readline()
        if not line:
            sys.exit()
        self.seconds, self.steps, self.began = float(line), 0, clock()


def save(path):
    """Write the weights of dense networks as the program names them: mean and log-variance are one layer there."""
    encoder, decoder = model.encoder, model.decoder
    layers = [part for part in encoder.layers if isinstance(part, nn.Linear)]
    found = {}
    for index, part in enumerate(layers):
        found |= {f"encoder.layers.{index}.weight": part.weight, f"encoder.layers.{index}.bias": part.bias}
    heads = (encoder.embedding, encoder.log_var)
    found[f"encoder.layers.{len(layers)}.weight"] = torch.cat([head.weight for head in heads])
    found[f"encoder.layers.{len(layers)}.bias"] = torch.cat([head.bias for head in heads])
    for index, part in enumerate(part for part in decoder.layers if isinstance(part, nn.Linear)):
        found |= {f"decoder.layers.{index}.weight": part.weight, f"decoder.layers.{index}.bias": part.bias}
    np.savez(path, **{name: weight.detach().numpy() for name, weight in found.items()})


images = np.load(settings["images"])
side = images.shape[1]
greys = torch.from_numpy(images).unsqueeze(1).float() / 255.0
torch.manual_seed(settings["seed"])
config = VAEConfig(input_dim=(1, side, side), latent_dim=LATENT, reconstruction_loss="bce")
model = VAE(config, Encoder(side * side, side), Decoder(side * side, side))
dataset = (Binarised if settings["dynamic"] else BaseDataset)(greys, torch.zeros(len(greys)))
# What is not given stays as pythae has it: batches of 64, a learning rate of 1e-4.
given = {"per_device_train_batch_size": settings["batch_size"], "learning_rate": settings["learning_rate"]}
training = BaseTrainerConfig(
    output_dir=settings["folder"],
    num_epochs=ENDLESS,
    seed=settings["seed"],
    no_cuda=True,
    **{name: value for name, value in given.items() if value is not None},
)
BATCH = training.per_device_train_batch_size
trainer = BaseTrainer(model=model, train_dataset=dataset, training_config=training, callbacks=[Turns()])
model = trainer.model
trainer.train()
