"""Draws images with LazyMAR, shows them, and scores them with torch-fidelity.

    python examples/draw.py [OUT]     pip install torch-fidelity torchvision, for the score

torch-fidelity downloads Inception's weights (91 MB) for its first score, unless they are in torch's
hub folder. Without torch-fidelity or its weights, there is no score.
"""
import sys
from pathlib import Path

import lazymar
import torch

out = Path(sys.argv[1] if len(sys.argv) > 1 else "drawn")
out.mkdir(exist_ok=True)
model = lazymar.Model.open("demo")
print(model.info)

# Twenty images, two of each class, in batches. Image i depends on the seed and i alone.
batches = []
for first in range(0, 20, 10):
    ids = list(range(first, first + 10))
    batches.append(model.sample([i % 10 for i in ids], ids=ids, seed=1, method="lazymar",
                                num_iter=16))
images = torch.cat(batches)  # uint8 [20, 3, 64, 64]

# A contact sheet as a PPM file, which needs no library.
rows = images.reshape(2, 10, *images.shape[1:]).permute(0, 3, 1, 4, 2).reshape(128, 640, 3)
(out / "sheet.ppm").write_bytes(b"P6\n640 128\n255\n" + rows.contiguous().numpy().tobytes())
print(f"{out / 'sheet.ppm'}: {images.float().mean():.1f} is the mean of all bytes")

try:
    import torch_fidelity

    # A data set whose items are tensors, as torch-fidelity wants them.
    pictures = torch.utils.data.Subset(images, range(len(images)))
    print(torch_fidelity.calculate_metrics(input1=pictures, isc=True, cuda=False, verbose=False))
except ImportError as error:
    print(f"No score: {error}; pip install torch-fidelity torchvision")
except OSError as error:  # urllib's, too
    print(f"No score: torch-fidelity cannot download its weights: {error}")
