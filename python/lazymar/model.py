"""Drawing images in this process: Model, over include/lazymar/lazymar.h."""
import torch  # first: _lazymar needs its libraries

try:
    from . import _lazymar
except ImportError as error:
    raise ImportError(f"lazymar's Python module cannot be loaded ({error}); it was built for the "
                      "torch and Python of another environment, or without Python: install "
                      "lazymar again in this one") from error

RefusedError = _lazymar.RefusedError
CancelledError = _lazymar.CancelledError
__version__ = _lazymar.version()


def text_of(value):
    """An option's value as on the command line."""
    if isinstance(value, (list, tuple)):
        return ",".join(text_of(part) for part in value)
    return str(value)


def options_of(method, more):
    """Keyword arguments as the command line's options: True is a switch, None and False nothing."""
    options = {name: "" if value is True else text_of(value) for name, value in more.items()
               if value is not None and value is not False}
    return options if method is None else {"method": method, **options}


def integers(values):
    """A list of int from None, an int, a tensor, an array or a sequence."""
    if values is None:
        return []
    if isinstance(values, int):
        return [values]
    return [int(value) for value in (values.tolist() if hasattr(values, "tolist") else values)]


class Model:
    """A MAR and its VAE, ready to draw. Make one with open() or from_state_dict()."""

    def __init__(self, core):
        self._core = core

    @staticmethod
    def open(name, *, device="auto", precision="auto", resume=None, vae_path=None,
             checkpoint_dir=None, random_weights=False, threads=None):
        """Opens a model by name: mar_base, mar_large, mar_huge, demo, or a folder of
        pretrained_models/mar. See the command line's options of the same names.

        threads sets torch's number of CPU threads; None leaves it. Raises RefusedError, a
        ValueError, with the command's message if files or settings cannot be used.
        """
        return Model(_lazymar.Model.open(name, model_options(
            device=device, precision=precision, resume=resume, vae_path=vae_path,
            checkpoint_dir=checkpoint_dir, random_weights=random_weights, threads=threads)))

    @staticmethod
    def from_state_dict(state_dict, name="mar_base", *, device="auto", precision="auto",
                        vae_path=None, checkpoint_dir=None, threads=None):
        """A MAR from tensors in memory, with MAR's names (a prefix such as "module." is taken off).

        name: whose number of heads, guidance and VAE are used: a published model, or a folder of
        pretrained_models/mar. Contiguous CPU tensors in the type that the precision computes in are
        shared, except matrices that are packed for faster products: open again after a change.
        """
        tensors = {key: value for key, value in state_dict.items()
                   if isinstance(value, torch.Tensor)}
        return Model(_lazymar.Model.from_tensors(tensors, name, model_options(
            device=device, precision=precision, vae_path=vae_path, checkpoint_dir=checkpoint_dir,
            threads=threads)))

    @property
    def info(self):
        """dict: weights, vae, device, precision, class_count, image_size, latent_channels,
        latent_size."""
        return self._core.info()

    def sample(self, labels, *, seed=1, ids=None, method=None, dtype=torch.uint8, progress=None,
               **options):
        """One batch of images, [B, 3, H, W]: image ids[i] of class labels[i].

        ids: numbers of the images; None: 0, 1, 2, ... An image is a function of seed, id and label.
        method: "mar" (the default), "lazymar", "gtr-32", ...; options: sampling options of
        lazymar_eval by their names, such as num_iter=64, cfg=2.9, lazy_refresh=9.
        dtype: torch.uint8 for RGB bytes on the CPU, those that lazymar_eval writes with the same
        precision and batch; torch.float32 for values of about -1 to 1, on the model's device.
        progress: called with the share that is done before each decoding step; a False result
        raises CancelledError. The GIL is released meanwhile, and Ctrl-C ends the batch.
        """
        draw = self._core.sample if dtype == torch.uint8 else self._core.sample_float
        images = draw(integers(labels), integers(ids), options_of(method, options), seed, progress)
        return images.to(dtype)

    def sample_latents(self, labels, *, seed=1, ids=None, method=None, progress=None, **options):
        """The same before the VAE: latents [B, C, h, w] on the model's device, for decode()."""
        return self._core.sample_latents(integers(labels), integers(ids),
                                         options_of(method, options), seed, progress)

    def decode(self, latents):
        """Latents [B, C, h, w] to images [B, 3, H, W], values of about -1 to 1."""
        return self._core.decode(latents)


def model_options(**values):
    options = _lazymar.ModelOptions()
    for name, value in values.items():
        if value is not None:
            setattr(options, name, str(value) if name in ("resume", "vae_path", "checkpoint_dir")
                    else value)
    return options
