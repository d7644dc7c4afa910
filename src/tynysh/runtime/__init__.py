"""Running it: the pipeline of one camera, workers, and the supervisor over them."""
