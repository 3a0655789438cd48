"""The classifier that judges samples: four strided convolutions, a mean over the picture, a linear
layer. Its 96 features are those of the Frechet distance."""
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from .picture_sets import CLASS_COUNT

WIDTHS = (24, 48, 96, 96)


class Classifier(nn.Module):
    """Images in [-1, 1], [B, 3, 64, 64], to class scores [B, 10].

    It is trained with batch norms, and used and stored with these folded into the convolutions.
    """

    def __init__(self, batch_norms=True):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1)
                                          for a, b in pairwise((3, *WIDTHS)))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) if batch_norms else nn.Identity()
                                   for width in WIDTHS)
        self.head = nn.Linear(WIDTHS[-1], CLASS_COUNT)

    def features(self, images):
        x = images
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.relu(norm(convolution(x)))
        return x.mean(dim=(2, 3))

    def forward(self, images):
        return self.head(self.features(images))

    @torch.no_grad()
    def folded(self):
        """The state of the same classifier with its batch norms folded in."""
        plain = Classifier(batch_norms=False)
        plain.head.load_state_dict(self.head.state_dict())
        layers = zip(plain.convolutions, self.convolutions, self.norms, strict=True)
        for target, source, norm in layers:
            factor = norm.weight / (norm.running_var + norm.eps).sqrt()
            target.weight.copy_(source.weight * factor[:, None, None, None])
            target.bias.copy_((source.bias - norm.running_mean) * factor + norm.bias)
        return plain.state_dict()
