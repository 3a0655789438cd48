"""Drawing images in this process: Model, over include/lazymar/lazymar.h."""
import torch  # first: _lazymar needs its libraries

try:
    from . import _lazymar, arguments
except ImportError as error:
    raise ImportError(f"lazymar's Python module cannot be loaded ({error}); it was built for the "
                      "torch and Python of another environment, or without Python: install "
                      "lazymar again in this one") from error

RefusedError = _lazymar.RefusedError
CancelledError = _lazymar.CancelledError
__version__ = _lazymar.version()


def set_log_level(level):
    """What lazymar says on stderr, in this process: "info" (which files, which precision),
    "warning" (the default), or "off"."""
    if not isinstance(level, str):
        raise TypeError("log level: must be 'info', 'warning' or 'off', not "
                        f"{arguments.shown(level)}")
    _lazymar.set_log_level(level)


#: What images can be: bytes, or values of about -1 to 1.
DTYPES = (torch.uint8, torch.float32, torch.float16, torch.bfloat16, torch.float64)


class Model:
    """A MAR and its VAE, ready to draw. Make one with open() or from_state_dict()."""

    def __init__(self, core):
        self._core = core

    @staticmethod
    def open(name, *, device="auto", precision="auto", resume=None, vae_path=None,
             checkpoint_dir=None, random_weights=False, threads=None):
        """Opens a model by name: mar_base, mar_large, mar_huge, demo, or a folder of
        pretrained_models/mar. See the command line's options of the same names.

        device: a name such as "cpu" or "cuda:0", or a torch.device. precision: "bf16", "fp32", ...
        or a torch.dtype. threads sets torch's number of CPU threads, 1 to 4096; None leaves it.
        Raises RefusedError, a ValueError, with the command's message if files or settings cannot be
        used, and TypeError for values of the wrong type. Ctrl-C ends it after a network is loaded.
        """
        return Model(_lazymar.Model.open(
            arguments.path_text("name", name), arguments.model_options(
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
        return Model(_lazymar.Model.from_tensors(
            arguments.tensors_of(state_dict), arguments.path_text("name", name),
            arguments.model_options(device=device, precision=precision, vae_path=vae_path,
                                    checkpoint_dir=checkpoint_dir, threads=threads)))

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
        options of lazymar_eval without a value are switches: True, False or None.
        dtype: torch.uint8 for RGB bytes on the CPU, those that lazymar_eval writes with the same
        precision and batch; torch.float32, float16, bfloat16 or float64 for values of about -1 to
        1, on the model's device.
        progress: called with the share that is done before each decoding step; a False result
        raises CancelledError. It must not draw with this model. The GIL is released meanwhile, and
        Ctrl-C ends the batch. While another thread draws with this model, the call waits.
        """
        if not isinstance(dtype, torch.dtype):
            raise TypeError("dtype: must be a torch.dtype such as torch.uint8, not "
                            f"{arguments.shown(dtype)}")
        if dtype not in DTYPES:
            raise RefusedError(f"dtype {dtype}: use torch.uint8, torch.float32, torch.float16, "
                               "torch.bfloat16 or torch.float64")
        draw = self._core.sample if dtype == torch.uint8 else self._core.sample_float
        return self._draw(draw, labels, ids, method, options, seed, progress).to(dtype)

    def sample_latents(self, labels, *, seed=1, ids=None, method=None, progress=None, **options):
        """The same before the VAE: latents [B, C, h, w] on the model's device, for decode()."""
        return self._draw(self._core.sample_latents, labels, ids, method, options, seed, progress)

    @staticmethod
    def _draw(draw, labels, ids, method, options, seed, progress):
        return draw(*arguments.labels_and_ids(labels, ids),
                    arguments.sampling_options(method, options),
                    arguments.whole("--seed", seed, arguments.UINT64),
                    arguments.progress_callback(progress))

    def decode(self, latents):
        """Latents [B, C, h, w] of any floating type to images [B, 3, H, W], values of about -1
        to 1."""
        if not isinstance(latents, torch.Tensor):
            raise TypeError(f"latents: must be a tensor, not a {type(latents).__name__}")
        return self._core.decode(latents)
