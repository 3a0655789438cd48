"""lazymar: generates and evaluates images with MAR, accelerated by LazyMAR's caches."""
